"""HTML and Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from saas.chat.reading.blocks import Block

# What is on a page but is not what it says.
LEFT_OUT = (
    *("script", "style", "noscript", "template", "svg", "iframe", "object", "form", "button"),
    *("nav", "footer", "aside", "img", "video", "audio"),
)


def read_html(html: str) -> Iterator[Block]:
    """What a page says, without scripts, menus and pictures; its title is the first heading."""
    from bs4 import BeautifulSoup
    from markdownify import MarkdownConverter

    page = BeautifulSoup(html, "html.parser")
    title = page.title.get_text(" ", strip=True) if page.title else ""
    for found in page([*LEFT_OUT, "title"]):
        found.decompose()
    for found in page.select("[hidden], [aria-hidden=true]"):
        found.decompose()
    body = page.find("main") or page.find("article") or page.body or page
    heading = body.find("h1")
    if title and heading is None:
        yield Block(title, "heading", 1)
    converter = MarkdownConverter(heading_style="ATX", strip=["a"], table_infer_header=True)
    yield from read_markdown(converter.convert_soup(body))


def read_markdown(text: str) -> Iterator[Block]:
    from markdown_it import MarkdownIt

    lines = text.splitlines()
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    for number, token in enumerate(tokens):
        if token.level or token.map is None:
            continue  # the inner parts of a list or a table come with it
        start, end = token.map
        if token.type == "heading_open":
            yield Block(tokens[number + 1].content.strip(), "heading", int(token.tag[1]))
            continue
        whole = "\n".join(lines[start:end]).strip()
        if whole and token.type != "hr":
            yield Block(whole, "table" if token.type == "table_open" else "text")

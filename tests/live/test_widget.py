"""The widget in a real browser, on a page of another origin under a strict CSP, as a customer uses it."""

from __future__ import annotations

import http.client
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from saas.chat import handoffs, presence
from saas.chat.models import Conversation, HandOff, Message
from tests.conftest import Business, found
from tests.live import widget

pytestmark = pytest.mark.live
HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script> [now](javascript:alert(3)) **ok**"


class Customer:
    """A customer with the chat of one page; what the browser complains of is kept."""

    def __init__(self, browser: Any, address: str, **context: Any) -> None:
        context = {"viewport": {"width": 1280, "height": 800}} | context
        self.context = browser.new_context(**context)
        self.page = self.context.new_page()
        self.page.set_default_timeout(widget.PATIENCE)
        self.complaints: list[str] = []
        self.asked: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda said: self._complain(said.text, said.type))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append(f"alert {dialog.message}"))
        self.page.goto(address)

    def _complain(self, text: str, kind: str) -> None:
        if kind in ("error", "warning") and "Failed to load resource" not in text:
            self.complaints.append(text)

    def open(self, name: str = "Open the chat") -> Any:
        self.page.get_by_role("button", name=re.compile(name)).click()
        chat = self.page.get_by_role("dialog")
        chat.wait_for()
        return chat

    def say(self, text: str, label: str = "Your message") -> None:
        self.page.get_by_role("textbox", name=label).fill(text)
        self.page.keyboard.press("Enter")

    def close(self) -> None:
        self.context.close()


@pytest.fixture
def customer(browser: Any, business: Business, api: str, site: Any) -> Iterator[Customer]:
    key = widget.key_for(business, site.url)
    site.pages["/"] = widget.html(api, f'data-key="{key}"')
    customer = Customer(browser, f"{site.url}/")
    yield customer
    customer.close()


def faults(page: Any) -> list[str]:
    """What axe finds."""
    from axe_playwright_python.sync_playwright import Axe

    page.wait_for_timeout(300)  # the panel's own motion ends
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]})
    return [f"{v['id']}: {[n['target'] for n in v['nodes']]}" for v in found.response["violations"]]


def said(business: Business, author: str) -> list[str]:
    with business.scope():
        found = Message.objects.filter(author=author).order_by("created_at")
        return list(found.values_list("text", flat=True))


def take(business: Business) -> str:
    """An agent takes the one hand-off there is; its id."""
    with business.scope():
        id = str(HandOff.objects.get(ended_at=None).id)
    assert business.call.post(f"inbox/{id}/take", {"agent": "Mei"}).status_code == 200
    return id


def test_a_customer_asks_the_bot_and_then_a_person(customer, business, api) -> None:
    from playwright.sync_api import expect

    page = customer.page
    launch = page.get_by_role("button", name="Open the chat")
    expect(launch).to_be_visible()
    assert [url for url in customer.asked if url.startswith(api)] == [
        f"{api}/static/widget/widget.js"
    ]
    assert customer.context.cookies() == []
    assert faults(page) == []

    launch.focus()
    page.keyboard.press("Enter")
    chat = page.get_by_role("dialog")
    expect(page.get_by_role("textbox", name="Your message")).to_be_focused()
    person = page.get_by_role("button", name="Talk to a person")
    expect(person).to_be_visible()
    customer.say("Hello")
    expect(chat.locator(".m.bot:not(.streaming) .b")).to_have_text(["Hello! How can I help you?"])
    expect(chat.locator(".m.customer .b")).to_have_text(["Hello"])
    expect(chat.locator(".hidden[role=status]")).to_have_text(
        "Assistant: Hello! How can I help you?"
    )
    assert faults(page) == []

    person.click()
    expect(chat).to_contain_text("You are number 1 in the queue")
    hand_off = take(business)
    expect(chat).to_contain_text("Mei is answering")
    with business.scope():
        talk = HandOff.objects.get(id=hand_off).conversation_id
        presence.say(talk, agent="Mei", typing=True, answers=True)
    expect(chat).to_contain_text("Mei is typing…")
    business.call.post(f"inbox/{hand_off}/messages", {"agent": "Mei", "text": HOSTILE})
    answer = chat.locator(".m.agent")
    expect(answer).to_contain_text("<img src=x onerror=alert(1)>")
    expect(answer.locator("strong")).to_have_text("ok")
    assert answer.locator("img, script, a").count() == 0
    assert faults(page) == []

    page.keyboard.press("Escape")
    expect(launch).to_be_focused()
    business.call.post(f"inbox/{hand_off}/messages", {"agent": "Mei", "text": "Still there?"})
    expect(page.get_by_role("button", name="Open the chat, 1 unread")).to_be_visible()
    customer.open()
    business.call.post(f"inbox/{hand_off}/hand-back", {"agent": "Mei"})
    expect(chat).to_contain_text("The assistant answers again")
    page.get_by_role("button", name="More").click()
    assert faults(page) == []
    page.get_by_role("button", name="End the chat").click()
    page.get_by_role("radio", name="5 of 5").click()
    expect(chat).to_contain_text("Anything to add?")
    assert faults(page) == []
    assert customer.complaints == []

    page.reload()
    customer.open()
    expect(chat).to_contain_text("Still there?")
    page.get_by_role("button", name="More").click()
    page.get_by_role("button", name="Delete my data").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(chat).to_contain_text("Your data has been deleted.")
    assert said(business, "customer") == []


def test_two_tabs_are_one_conversation(customer, business, site) -> None:
    from playwright.sync_api import expect

    first, second = customer.page, customer.context.new_page()
    second.set_default_timeout(widget.PATIENCE)
    customer.open()
    second.goto(f"{site.url}/")
    second.get_by_role("button", name="Open the chat").click()
    customer.say("Hello")
    log = second.get_by_role("log")
    expect(log).to_contain_text("How can I help you?")
    second.get_by_role("textbox", name="Your message").fill("Thanks")
    second.keyboard.press("Enter")
    expect(first.locator(".m.customer .b")).to_have_text(["Hello", "Thanks"])
    expect(log.locator(".m.customer .b")).to_have_text(["Hello", "Thanks"])
    assert said(business, "customer") == ["Hello", "Thanks"]

    # An agent goes on in another conversation of theirs: both tabs go along.
    with business.scope():
        here = Conversation.objects.get()
        other = Conversation.objects.create(customer=here.customer, language="en")
        rows = [str(handoffs.request(talk.id, reason="call").id) for talk in (here, other)]
    for path, body in (
        ("merge", {"into": rows[1]}),
        ("take", {}),
        ("messages", {"text": "Mei here"}),
    ):
        row = rows[0] if path == "merge" else rows[1]
        assert business.call.post(f"inbox/{row}/{path}", body | {"agent": "Mei"}).status_code < 300
    for tab in (first, second):
        expect(tab.locator(".m.agent .b")).to_have_text(["Mei here"])
        expect(tab.locator(".m.customer .b")).to_have_text(["Hello", "Thanks"])
    customer.say("Here, too")
    expect(log.locator(".m.customer .b")).to_have_text(["Hello", "Thanks", "Here, too"])
    with business.scope():
        assert Message.objects.filter(conversation=other).count() == 2
    assert customer.complaints == []


def test_a_killed_server_loses_and_doubles_nothing(
    browser, business, site, tmp_path, port: int
) -> None:
    from playwright.sync_api import expect

    server = widget.serve(port, tmp_path / "first.log")
    api = f"http://127.0.0.1:{port}"
    site.pages["/"] = widget.html(api, f'data-key="{widget.key_for(business, site.url)}"')
    customer = Customer(browser, f"{site.url}/")
    try:
        chat = customer.open()
        customer.say("Hello")
        customer.page.get_by_role("button", name="Talk to a person").click()
        expect(chat).to_contain_text("number 1")
        hand_off = take(business)
        expect(chat).to_contain_text("Mei is answering")

        server.kill()
        customer.say("First")
        customer.say("Second")
        expect(chat).to_contain_text("No connection")
        business.call.post(f"inbox/{hand_off}/messages", {"agent": "Mei", "text": "Meanwhile"})
        server = widget.serve(port, tmp_path / "second.log")

        expect(chat.locator(".m.customer .b")).to_have_text(["Hello", "First", "Second"])
        expect(chat.locator(".m.agent .b")).to_have_text(["Meanwhile"])
        expect(chat.locator(".pending")).to_have_count(0)
        expect(chat).not_to_contain_text("No connection")
        assert said(business, "customer") == ["Hello", "First", "Second"]
        business.call.post(f"inbox/{hand_off}/messages", {"agent": "Mei", "text": "Live again"})
        expect(chat.locator(".m.agent .b")).to_have_text(["Meanwhile", "Live again"])
    finally:
        customer.close()
        server.stop()


def test_two_tenants_on_one_page_and_one_of_them_twice(browser, business, api, site) -> None:
    from playwright.sync_api import expect

    other = found("other")
    keys = [widget.key_for(one, site.url) for one in (business, other)]
    scripts = [f'data-key="{key}" data-colour="#7b1fa2"' for key in (*keys, keys[0])]
    site.pages["/"] = widget.html(api, *scripts)
    customer = Customer(browser, f"{site.url}/")
    launches = customer.page.get_by_role("button", name="Open the chat")
    expect(launches).to_have_count(2)
    boxes = [launches.nth(n).bounding_box() for n in range(2)]
    assert boxes[0]["y"] != boxes[1]["y"]
    assert any("on the page already" in text for text in customer.complaints)
    customer.page.evaluate(f"FrontdeskWidgets.get('{keys[1]}').open()")
    customer.say("Hello")
    expect(customer.page.get_by_role("dialog")).to_contain_text("How can I help you?")
    assert (said(business, "customer"), said(other, "customer")) == ([], ["Hello"])
    colour = "document.querySelectorAll('.frontdesk-widget')[1].style.getPropertyValue('--c')"
    assert customer.page.evaluate(colour) == "#7b1fa2"  # as the page says, also once it is open
    customer.page.evaluate(f"FrontdeskWidgets.get('{keys[0]}').open()")
    expect(customer.page.get_by_role("dialog", name="Live")).to_be_visible()
    expect(customer.page.get_by_role("dialog")).to_have_count(1)
    customer.close()


def test_without_storage_it_works_in_memory(browser, business, api, site) -> None:
    from playwright.sync_api import expect

    site.pages["/"] = widget.html(api, f'data-key="{widget.key_for(business, site.url)}"')
    context = {"java_script_enabled": True}
    customer = Customer(browser, "about:blank", **context)
    customer.page.add_init_script(
        "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no') }})"
    )
    customer.page.goto(f"{site.url}/")
    chat = customer.open()
    for text in ("Hello", "Thanks"):
        customer.say(text)
    expect(chat.locator(".m.customer .b")).to_have_text(["Hello", "Thanks"])
    expect(chat.locator(".m.bot:not(.streaming)")).to_have_count(2)
    customer.page.reload()
    customer.open()
    expect(chat.locator(".m")).to_have_count(1)  # who is not known is greeted
    assert customer.complaints == []
    customer.close()


def test_storage_that_is_full_is_as_none(customer, api) -> None:
    kept = customer.page.evaluate(
        """async (api) => {
            const { store } = await import(`${api}/static/widget/store.js`);
            const kept = store("test");
            kept.set({ one: 1 });
            Storage.prototype.setItem = () => { throw new DOMException("full"); };
            kept.set({ one: 2, two: 3 });
            return [kept.get("one"), kept.get("two")];
        }""",
        api,
    )
    assert kept == [2, 3]


def test_a_stolen_key_shows_what_is_wrong_and_nothing_else(browser, business, api, site) -> None:
    from playwright.sync_api import expect

    key = widget.key_for(business, "https://shop.example")
    site.pages["/"] = widget.html(api, f'data-key="{key}"')
    customer = Customer(browser, f"{site.url}/")
    chat = customer.open()
    expect(chat.get_by_role("alert")).not_to_be_empty()
    customer.say("Hello")
    customer.page.wait_for_timeout(500)
    assert said(business, "customer") == []
    customer.close()


def test_behind_a_proxy_that_holds_streams_back_it_polls(browser, business, api, site) -> None:
    from playwright.sync_api import expect

    with holding_back(api) as proxy:
        key = widget.key_for(business, site.url)
        site.pages["/"] = widget.html(proxy, f'data-key="{key}"')
        customer = Customer(browser, f"{site.url}/")
        chat = customer.open()
        customer.page.get_by_role("button", name="Talk to a person").click()
        expect(chat).to_contain_text("number 1")
        with customer.page.expect_request(re.compile("once=true")):
            pass
        hand_off = take(business)
        business.call.post(
            f"inbox/{hand_off}/messages", {"agent": "Mei", "text": "Hello, Mei here"}
        )
        expect(chat).to_contain_text("Hello, Mei here")
        customer.close()


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("width", [360, 1280])
def test_it_fits_the_screen(
    language: str, width: int, browser, business, api, site, tmp_path: Path
) -> None:
    from playwright.sync_api import expect

    tea = {"id": "T1", "title": "Jasmine green tea", "price": 12.5, "currency": "USD"}
    tea |= {"translations": {"zh": {"title": "茉莉绿茶"}}, "url": "https://shop.example/t1"}
    assert business.call.post("items", [tea]).status_code == 200
    key = widget.key_for(business, site.url)
    with business.scope():
        from tenants.models import ApiKey

        id = ApiKey.objects.get(kind="pk").id
    looks = {
        "colour": "#ffd54f",
        "theme": "dark" if width == 360 else "auto",
        "asks": ["name", "email"],
        "prompts": [{"en": "Where is my order?", "zh": "我的订单到哪了？"}],
    }
    assert business.call("PUT", f"widgets/{id}", looks).status_code == 200
    site.pages["/"] = widget.html(api, f'data-key="{key}"', language=language)
    phone = {"has_touch": True, "is_mobile": True} if width == 360 else {}
    customer = Customer(browser, f"{site.url}/", viewport={"width": width, "height": 720}, **phone)
    words = {
        "en": ("Open the chat", "Your message", "Start", "Your name", "Your e-mail address"),
        "zh": ("打开客服聊天", "输入消息", "开始", "您的称呼", "您的邮箱地址"),
    }[language]
    chat = customer.open(words[0])
    chat.locator(".chip").first.click()
    chat.get_by_label(words[3]).fill("Li Mei")
    chat.get_by_label(words[4]).fill("li@shop.example")
    assert faults(customer.page) == []
    chat.get_by_role("button", name=words[2], exact=True).click()
    expect(chat.locator(".pending")).to_have_count(0)
    expect(chat.locator(".m.bot:not(.streaming)")).to_have_count(1)
    assert faults(customer.page) == []
    customer.page.screenshot(path=tmp_path / f"widget-{language}-{width}.png")
    assert customer.page.evaluate("document.documentElement.scrollWidth") <= width
    box = chat.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    if width == 360:
        assert (box["width"], box["height"]) == (360, 720)
    assert customer.complaints == []
    customer.close()


MARKDOWN = {
    "**a** *b* `c*d*`": "<p><strong>a</strong> <em>b</em> <code>c*d*</code></p>",
    "<b>a</b> &amp;": "<p>&lt;b&gt;a&lt;/b&gt; &amp;amp;</p>",
    "[a](javascript:alert(1))": "<p>[a](javascript:alert(1))</p>",
    "[a](JaVaScRiPt:x) [b](data:text/html,x) [c](//x)": "<p>a b c</p>",
    "- a\n- b\n\n1. c": "<ul><li>a</li><li>b</li></ul><ol><li>c</li></ol>",
    "a\nb\n\nc": "<p>a<br>b</p><p>c</p>",
    "# a": "<p>a</p>",
    "**a": "<p>**a</p>",
    "*" * 5_000: f"<p>{'*' * 5_000}</p>",
}


def test_markdown_becomes_these_nodes_and_no_others(customer, api) -> None:
    """A link keeps its text where its address is of no kind that may be followed."""
    html = customer.page.evaluate(
        """async ([api, texts]) => {
            const { markdown } = await import(`${api}/static/widget/markdown.js`);
            return texts.map((text) => {
                const box = document.createElement("div");
                box.append(...markdown(text));
                return box.innerHTML;
            });
        }""",
        [api, [*MARKDOWN, "[a](https://shop.example/?a=1&b=2)"]],
    )
    assert html[:-1] == list(MARKDOWN.values())
    assert 'href="https://shop.example/?a=1&amp;b=2"' in html[-1]
    assert 'rel="noopener noreferrer nofollow"' in html[-1]


@contextmanager
def holding_back(api: str) -> Iterator[str]:
    """A proxy in front of the product that passes an answer on when it has all of it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            kept = {
                k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")
            }
            body = self.rfile.read(length) or None
            asked = urllib.request.Request(api + self.path, body, kept, method=self.command)
            try:
                answer = urllib.request.urlopen(asked, timeout=60)
            except urllib.error.HTTPError as error:
                answer = error
            try:
                content = answer.read()
            except http.client.HTTPException:
                return  # the server ended meanwhile
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_OPTIONS = do_DELETE = do_GET

        def log_message(self, *parts: Any) -> None:
            """Says nothing in the tests' output."""

    proxy = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    proxy.daemon_threads = True
    proxy.block_on_close = False
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{proxy.server_port}"
    finally:
        proxy.shutdown()
        proxy.server_close()

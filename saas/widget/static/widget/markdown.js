import { h, link } from "./nodes.js";

/**
 * A small part of Markdown as nodes: paragraphs, lists, **bold**, *italic*, `code`, [text](https://…)
 * and bare addresses. HTML is text like any other. `cite(n)` makes the mark of the nth citation, which
 * stands in the text as the character U+E000 + n.
 */
export function markdown(text, cite = () => "") {
  const blocks = [];
  let list, lines;
  for (const line of text.replace(/\r\n?/g, "\n").split("\n")) {
    const item = /^\s{0,3}(?:([-*•])|(\d{1,3})[.)、])\s+(.*)$/.exec(line);
    if (item) {
      const tag = item[1] ? "ul" : "ol";
      if (list?.localName !== tag) blocks.push((list = h(tag, tag === "ol" && item[2] !== "1" ? { start: item[2] } : {})));
      list.append(h("li", {}, ...inline(item[3], cite)));
      lines = undefined;
    } else if (!line.trim()) {
      list = lines = undefined;
    } else {
      if (!lines) blocks.push((lines = h("p")));
      else lines.append(h("br"));
      list = undefined;
      lines.append(...inline(line.replace(/^#{1,6}\s+/, ""), cite));
    }
  }
  return blocks;
}

const INLINE =
  /`([^`\n]+)`|\*\*([^*\n]+(?:\*[^*\n]+)*?)\*\*|\*([^*\s][^*\n]*?)\*|\[([^\]\n]{1,300})\]\(([^\s()]{1,2000})\)|(https?:\/\/[^\s<>"'）】。，]+[^\s<>"'.,;:!?)）】。，])|([\uE000-\uE0FF])/g;

function inline(text, cite) {
  const nodes = [];
  let at = 0;
  for (const found of text.matchAll(INLINE)) {
    const [whole, code, bold, italic, label, to, bare, mark] = found;
    nodes.push(text.slice(at, found.index));
    if (code) nodes.push(h("code", {}, code));
    else if (bold) nodes.push(h("strong", {}, ...inline(bold, cite)));
    else if (italic) nodes.push(h("em", {}, ...inline(italic, cite)));
    else if (label) nodes.push(link(label, to));
    else if (bare) nodes.push(link(bare, bare));
    else nodes.push("\u2060", cite(mark.charCodeAt(0) - 0xe000)); // at the end of its line, not alone on the next
    at = found.index + whole.length;
  }
  return [...nodes, text.slice(at)].filter(Boolean);
}

/** The text with the marks of its citations in it; their places count characters, not UTF-16 units. */
export function marked(text, citations) {
  const characters = [...text.replace(/[\uE000-\uE0FF]/g, "")];
  citations.slice(0, 255).forEach(({ end }, n) => {
    const place = Math.min(Math.max(end, 0), characters.length) - 1;
    if (place >= 0) characters[place] += String.fromCharCode(0xe000 + n);
  });
  return characters.join("");
}

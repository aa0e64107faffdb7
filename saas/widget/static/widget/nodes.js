/** Builds nodes; text is text, whatever is in it. There is no way to markup from a string. */

/** An element with properties (on… listeners, aria-… and other attributes) and children. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child || child === 0));
  return element;
}

const PATHS = {
  close: "M6 6l12 12M18 6L6 18",
  send: "M4 12l16-8-5 16-3-7z",
  clip: "M20 11l-8.5 8.5a5 5 0 0 1-7-7L13 4a3.5 3.5 0 0 1 5 5l-8.5 8.5a2 2 0 0 1-3-3L14 7",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 21c0-4 3.6-6.5 8-6.5s8 2.5 8 6.5",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  up: "M7 11v9H4v-9zM7 11l4-8c1.5 0 2.5 1 2.5 2.500L13 9h5.500a2 2 0 0 1 2 2.400l-1.300 7A2 2 0 0 1 17.200 20H7",
  down: "M17 13V4h3v9zM17 13l-4 8c-1.500 0-2.500-1-2.500-2.500L11 15H5.500a2 2 0 0 1-2-2.400l1.300-7A2 2 0 0 1 6.800 4H17",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
};

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [key, value] of Object.entries({
    viewBox: "0 0 24 24", width: 20, height: 20, fill: "none", stroke: "currentColor",
    "stroke-width": name === "more" ? 3 : 1.8, "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true",
  })) svg.setAttribute(key, value);
  svg.appendChild(document.createElementNS(svg.namespaceURI, "path")).setAttribute("d", PATHS[name]);
  return svg;
}

/** An address that may be followed or shown; undefined for any other (javascript:, data:, …). */
export function address(text) {
  try {
    const url = new URL(text);
    return ["https:", "http:"].includes(url.protocol) ? url.href : undefined;
  } catch {
    return undefined;
  }
}

/** A link to another page, which learns nothing of this one. */
export function link(text, to) {
  const href = address(to);
  return href ? h("a", { href, target: "_blank", rel: "noopener noreferrer nofollow" }, text) : text;
}

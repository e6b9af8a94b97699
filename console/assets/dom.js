// Making and changing elements. Text from people only ever becomes text nodes: nothing here parses markup.

/** An element. `props`: attributes; `on*` functions listen; `class`, `dataset`, booleans as one would expect. */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "dataset") Object.assign(element.dataset, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Writes only what changed, so that screen readers and selections are not disturbed. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/;

export const byId = (id) => document.getElementById(id);

/** An event that bubbles up to the page. */
export function emit(element, name, detail) {
  element.dispatchEvent(new CustomEvent(name, { bubbles: true, detail }));
}

/** A sentence as Groundcrew writes it: `names` in backticks become code, times are shown in the reader's time zone. */
export function setProse(element, text) {
  if (element.prose === text) return;
  element.prose = text;
  const parts = text.split("`");
  const paired = parts.length % 2 === 1;
  element.replaceChildren(...(paired ? parts : [text]).map((part, index) => (index % 2 ? h("code", {}, part) : withTime(part))));
}

function withTime(text) {
  const match = TIME.exec(text);
  if (!match) return text;
  const when = new Date(match[0]);
  const today = when.toDateString() === new Date().toDateString();
  const shown = today ? when.toLocaleTimeString() : when.toLocaleString();
  return h("span", {}, text.slice(0, match.index), h("time", { datetime: match[0] }, shown), text.slice(match.index + match[0].length));
}

/** An element with such a sentence. */
export function prose(tag, text) {
  const element = h(tag);
  setProse(element, text);
  return element;
}

/** Keeps one child for each item, in order: makes new children, updates those that stay, removes the others. */
export function syncChildren(parent, items, keyOf, make, update = () => {}) {
  const old = new Map([...parent.children].map((child) => [child.key, child]));
  let next = parent.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    let child = old.get(key);
    old.delete(key);
    if (!child) {
      child = make(item);
      child.key = key;
    }
    if (child === next) next = next.nextElementSibling;
    else parent.insertBefore(child, next);
    update(child, item);
  }
  for (const unused of old.values()) unused.remove();
}

export function plural(count, one, many = `${one}s`) {
  return `${count.toLocaleString()} ${count === 1 ? one : many}`;
}

/** How many datasets or teams wait for the admin. */
export function needYou(all) {
  const count = all.filter(({ tone }) => tone === "attention").length;
  return count === 0 ? null : count === 1 ? "1 needs you" : `${count} need you`;
}

export function bytes(count) {
  const units = ["B", "KB", "MB", "GB"];
  let unit = 0;
  while (count >= 1000 && unit < units.length - 1) {
    count /= 1000;
    unit += 1;
  }
  return `${count < 10 && unit > 0 ? count.toFixed(1) : Math.round(count)} ${units[unit]}`;
}

/** A button that copies a text, and shows that it did. */
export function copyButton(text, label = "Copy") {
  const button = h("button", { type: "button", class: "quiet small" }, label);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Select and copy by hand";
    }
    setTimeout(() => (button.textContent = label), 2000);
  });
  return button;
}

/** A code block with its copy button. */
export function snippet(text, name) {
  return h("div", { class: "snippet" }, h("pre", { "aria-label": name, tabindex: "0" }, text), copyButton(text));
}

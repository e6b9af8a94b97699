// A text with numbered lines and, below it, what is said of it while one types.

import { h, setProse, setText } from "./dom.js";

const PAUSE = 250;

class CodeField extends HTMLElement {
  #lines = h("pre", { class: "lines", "aria-hidden": "true" }, "1");
  #text = h("textarea", { spellcheck: "false", wrap: "off", autocapitalize: "off" });
  #verdict = h("div", { class: "verdict", role: "status" });
  #timer = null;

  /** `name`: what the text is, for those who do not see it; `id`: begins the ids of its parts. */
  static make(name, id) {
    const field = document.createElement("code-field");
    field.#text.id = `${id}-text`;
    field.#verdict.id = `${id}-verdict`;
    field.#text.setAttribute("aria-label", name);
    field.#text.setAttribute("aria-describedby", field.#verdict.id);
    return field;
  }

  connectedCallback() {
    if (this.firstChild) return;
    this.append(h("div", { class: "code" }, this.#lines, this.#text), this.#verdict);
    this.#text.addEventListener("input", () => this.#changed());
    this.#text.addEventListener("scroll", () => (this.#lines.scrollTop = this.#text.scrollTop));
  }

  get value() {
    return this.#text.value;
  }

  set value(text) {
    this.#text.value = text;
    this.#text.setSelectionRange(0, 0);
    this.#number();
  }

  focus() {
    this.#text.focus();
  }

  /** Asks for a check as if something had been typed. */
  check() {
    this.#changed();
  }

  #changed() {
    this.#number();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.dispatchEvent(new CustomEvent("edited")), PAUSE);
  }

  #number() {
    const count = this.#text.value.split("\n").length;
    setText(this.#lines, Array.from({ length: count }, (_, line) => line + 1).join("\n"));
  }

  /** `kind`: `good`, `warn`, `bad` or empty. */
  say(kind, message, hint) {
    this.#verdict.dataset.kind = kind;
    const [said, todo] = [h("span"), h("span", { class: "hint" })];
    setProse(said, message);
    setProse(todo, hint ?? "");
    this.#verdict.replaceChildren(said, ...(hint ? [todo] : []));
  }

  /** Something is wrong at a place: the place leads there. */
  complain({ line, column, message, hint }) {
    this.say("bad", message, hint);
    if (line) this.#verdict.prepend(this.#place(line, column), " ");
  }

  /** Good, but for a few lines, each with what is wrong with it. */
  warn(message, problems) {
    this.say("warn", message);
    const rows = problems.map(({ line, message: reason }) => {
      const said = h("span");
      setProse(said, reason);
      return h("li", {}, line ? this.#place(line) : null, line ? " " : null, said);
    });
    this.#verdict.append(h("ul", {}, rows));
  }

  #place(line, column) {
    const place = `Line ${line}${column ? `, column ${column}` : ""}`;
    return h("button", { type: "button", class: "link", onclick: () => this.show(line) }, place);
  }

  /** Selects a line. */
  show(line) {
    const lines = this.#text.value.split("\n");
    const start = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
    this.#text.focus();
    this.#text.setSelectionRange(start, start + (lines[line - 1] ?? "").length);
    this.#text.scrollTop = Math.max(0, (line - 4) * parseFloat(getComputedStyle(this.#text).lineHeight));
  }
}

customElements.define("code-field", CodeField);

export { CodeField };

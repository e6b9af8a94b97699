// A text with numbered lines, and below it what is wrong with it, while a person types.

import { h, prose, setText } from "./dom.js";

/** Milliseconds after the last key until the text is checked. */
const CHECK_DELAY = 250;

class CodeField extends HTMLElement {
  #lines = h("pre", { class: "lines", "aria-hidden": "true" }, "1");
  #text = h("textarea", { spellcheck: "false", wrap: "off", autocapitalize: "off" });
  #verdict = h("div", { class: "verdict", role: "status" });
  #timer = null;

  /** `name`: what the text is, for screen readers; `id`: the beginning of its parts' ids. */
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
    this.#numberLines();
  }

  focus() {
    this.#text.focus();
  }

  /** Has the text checked as if a person had typed. */
  check() {
    this.#changed();
  }

  #changed() {
    this.#numberLines();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.dispatchEvent(new CustomEvent("edited")), CHECK_DELAY);
  }

  #numberLines() {
    const count = this.#text.value.split("\n").length;
    setText(this.#lines, Array.from({ length: count }, (_, line) => line + 1).join("\n"));
  }

  /** `kind`: `good`, `warn`, `bad` or empty. */
  showMessage(kind, message, hint) {
    this.#verdict.dataset.kind = kind;
    this.#verdict.replaceChildren(prose("span", message));
    if (!hint) return;
    const line = prose("span", hint);
    line.className = "hint";
    this.#verdict.append(line);
  }

  /** An error, with a button that selects its line. */
  showError({ line, column, message, hint }) {
    this.showMessage("bad", message, hint);
    if (line) this.#verdict.prepend(this.#lineButton(line, column), " ");
  }

  /** Good, except for a few lines, each with what is wrong with it. */
  showWarnings(message, problems) {
    this.showMessage("warn", message);
    const rows = problems.map(({ line, message: reason }) => h("li", {}, line ? [this.#lineButton(line), " "] : null, prose("span", reason)));
    this.#verdict.append(h("ul", {}, rows));
  }

  #lineButton(line, column) {
    const place = `Line ${line}${column ? `, column ${column}` : ""}`;
    return h("button", { type: "button", class: "link", onclick: () => this.selectLine(line) }, place);
  }

  selectLine(line) {
    const lines = this.#text.value.split("\n");
    const start = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
    this.#text.focus();
    this.#text.setSelectionRange(start, start + (lines[line - 1] ?? "").length);
    this.#text.scrollTop = Math.max(0, (line - 4) * parseFloat(getComputedStyle(this.#text).lineHeight));
  }
}

customElements.define("code-field", CodeField);

export { CodeField };

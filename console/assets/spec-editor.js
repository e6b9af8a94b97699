// Writing a dataset's labeling.yaml: starts with its own or a fitting suggestion, is checked while one types, and is
// uploaded like any other file.

import { h, setProse, setText } from "./dom.js";
import { checkSpec, loadSpec, saveSpec } from "./server.js";

class SpecEditor extends HTMLElement {
  #dataset = null;
  #checking = null;
  #heading = h("h2");
  #about = h("p", { class: "muted" });
  #lines = h("pre", { class: "lines", "aria-hidden": "true" }, "1");
  #text = h("textarea", { id: "spec-text", spellcheck: "false", wrap: "off", autocapitalize: "off", "aria-label": "labeling.yaml", "aria-describedby": "spec-verdict" });
  #verdict = h("div", { id: "spec-verdict", class: "verdict", role: "status" });
  #save = h("button", { type: "button", id: "spec-save", class: "primary", onclick: () => this.#store() }, "Save and start");
  #dialog = h("dialog", { class: "editor", "aria-label": "Edit labeling.yaml" });

  connectedCallback() {
    const cancel = h("button", { type: "button", onclick: () => this.#dialog.close() }, "Cancel");
    const field = h("div", { class: "code" }, this.#lines, this.#text);
    this.#dialog.append(this.#heading, this.#about, field, this.#verdict, h("div", { class: "row end" }, cancel, this.#save));
    this.append(this.#dialog);
    this.#text.addEventListener("input", () => this.#changed());
    this.#text.addEventListener("scroll", () => (this.#lines.scrollTop = this.#text.scrollTop));
  }

  async open(dataset) {
    this.#dataset = dataset;
    setText(this.#heading, `labeling.yaml of ${dataset}`);
    setText(this.#about, "Loading…");
    this.#text.value = "";
    this.#say("", "");
    this.#dialog.showModal();
    try {
      const { text, exists } = await loadSpec(dataset);
      setText(this.#about, exists
        ? "New batches use what you save. Batches that are cut already keep the labeling.yaml they were cut with."
        : "A suggestion made for the files that were dropped. Change the labels and the texts, then save.");
      this.#text.value = text;
      this.#text.setSelectionRange(0, 0);
      this.#text.focus();
      this.#changed();
    } catch (error) {
      setText(this.#about, "");
      this.#say("bad", error.message);
    }
  }

  #changed() {
    const count = this.#text.value.split("\n").length;
    setText(this.#lines, Array.from({ length: count }, (_, line) => line + 1).join("\n"));
    clearTimeout(this.#checking);
    this.#checking = setTimeout(() => this.#check(), 250);
  }

  async #check() {
    const text = this.#text.value;
    try {
      const verdict = await checkSpec(text);
      if (text !== this.#text.value) return;
      if (verdict.ok) this.#say("good", "This labeling.yaml is fine.");
      else this.#complain(verdict);
    } catch (error) {
      this.#say("bad", error.message);
    }
  }

  #complain({ line, column, message, hint }) {
    this.#say("bad", message, hint);
    if (!line) return;
    const place = `Line ${line}${column ? `, column ${column}` : ""}`;
    this.#verdict.prepend(h("button", { type: "button", class: "link", onclick: () => this.#show(line) }, place), " ");
  }

  #say(kind, message, hint) {
    this.#verdict.dataset.kind = kind;
    const [said, todo] = [h("span"), h("span", { class: "hint" })];
    setProse(said, message);
    setProse(todo, hint ?? "");
    this.#verdict.replaceChildren(said, ...(hint ? [todo] : []));
    this.#save.disabled = kind === "bad";
  }

  #show(line) {
    const lines = this.#text.value.split("\n");
    const start = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
    this.#text.focus();
    this.#text.setSelectionRange(start, start + (lines[line - 1] ?? "").length);
  }

  async #store() {
    this.#save.disabled = true;
    try {
      await saveSpec(this.#dataset, this.#text.value);
      this.#dialog.close();
      this.dispatchEvent(new CustomEvent("saved", { bubbles: true, detail: this.#dataset }));
    } catch (error) {
      this.#say("bad", error.message);
      this.#save.disabled = false;
    }
  }
}

customElements.define("spec-editor", SpecEditor);

// Writing a dataset's labeling.yaml: starts with its own or a fitting suggestion, is checked while one types, and is
// uploaded like any other file.

import { CodeField } from "./code-field.js";
import { h, setText } from "./dom.js";
import { checkSpec, loadSpec, saveSpec } from "./server.js";

class SpecEditor extends HTMLElement {
  #dataset = null;
  #heading = h("h2");
  #about = h("p", { class: "muted" });
  #field = CodeField.make("labeling.yaml", "spec");
  #save = h("button", { type: "button", id: "spec-save", class: "primary", onclick: () => this.#store() }, "Save and start");
  #dialog = h("dialog", { class: "editor", "aria-label": "Edit labeling.yaml" });

  connectedCallback() {
    const cancel = h("button", { type: "button", onclick: () => this.#dialog.close() }, "Cancel");
    this.#dialog.append(this.#heading, this.#about, this.#field, h("div", { class: "row end" }, cancel, this.#save));
    this.append(this.#dialog);
    this.#field.addEventListener("edited", () => this.#check());
  }

  async open(dataset) {
    this.#dataset = dataset;
    setText(this.#heading, `labeling.yaml of ${dataset}`);
    setText(this.#about, "Loading…");
    this.#field.value = "";
    this.#field.say("", "");
    this.#save.disabled = true;
    this.#dialog.showModal();
    try {
      const { text, exists } = await loadSpec(dataset);
      setText(this.#about, exists
        ? "New batches use what you save. Batches that are cut already keep the labeling.yaml they were cut with."
        : "A suggestion made for the files that were dropped. Change the labels and the texts, then save.");
      this.#field.value = text;
      this.#field.focus();
      this.#field.check();
    } catch (error) {
      setText(this.#about, "");
      this.#fail(error);
    }
  }

  async #check() {
    const text = this.#field.value;
    try {
      const verdict = await checkSpec(text);
      if (text !== this.#field.value) return;
      if (verdict.warning) this.#field.say("warn", `This labeling.yaml is fine, but ${verdict.warning}.`);
      else if (verdict.ok) this.#field.say("good", "This labeling.yaml is fine.");
      else this.#field.complain(verdict);
      this.#save.disabled = !verdict.ok;
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error) {
    this.#field.say("bad", error.message);
    this.#save.disabled = true;
  }

  async #store() {
    this.#save.disabled = true;
    try {
      await saveSpec(this.#dataset, this.#field.value);
      this.#dialog.close();
      this.dispatchEvent(new CustomEvent("saved", { bubbles: true, detail: `labeling.yaml of ${this.#dataset} is saved.` }));
    } catch (error) {
      this.#field.say("bad", error.message);
      this.#save.disabled = false;
    }
  }
}

customElements.define("spec-editor", SpecEditor);

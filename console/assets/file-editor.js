// A dialog with one text file: loads it, checks it while a person types, and saves it. What the file is, and how it is
// loaded, checked and saved, is up to the editors that extend it.

import { CodeField } from "./code-field.js";
import { emit, h, setText } from "./dom.js";

export class FileEditor extends HTMLElement {
  #heading = h("h2");
  #note = h("p", { class: "muted" });
  #save = null;
  #dialog = null;
  field = null;

  /** `id`: the beginning of the parts' ids. */
  build({ id, title, name, saveLabel }) {
    this.field = CodeField.make(name, id);
    this.#save = h("button", { type: "button", id: `${id}-save`, class: "primary", onclick: () => this.#saveFile() }, saveLabel);
    this.#dialog = h("dialog", { class: "editor", "aria-label": title });
    const cancel = h("button", { type: "button", onclick: () => this.#dialog.close() }, "Cancel");
    this.#dialog.append(this.#heading, this.#note, this.field, h("div", { class: "row end" }, cancel, this.#save));
    this.append(this.#dialog);
    this.field.addEventListener("edited", () => this.#checkText());
  }

  /** `load` gives the text and a note on it. */
  async openFile(heading, load) {
    setText(this.#heading, heading);
    setText(this.#note, "Loading…");
    this.field.value = "";
    this.field.showMessage("", "");
    this.#save.disabled = true;
    this.#dialog.showModal();
    try {
      const { text, note } = await load();
      setText(this.#note, note);
      this.field.value = text;
      this.field.focus();
      this.field.check();
    } catch (error) {
      setText(this.#note, "");
      this.#fail(error);
    }
  }

  async #checkText() {
    const text = this.field.value;
    try {
      const result = await this.checkText(text);
      // The text may have changed since; that change is checked by itself.
      if (text !== this.field.value) return;
      if (result.ok) this.showResult(result);
      else this.field.showError(result);
      this.#save.disabled = !result.ok;
    } catch (error) {
      this.#fail(error);
    }
  }

  async #saveFile() {
    this.#save.disabled = true;
    try {
      const message = await this.saveText(this.field.value);
      if (message) {
        this.#dialog.close();
        emit(this, "saved", message);
      }
    } catch (error) {
      this.field.showMessage("bad", error.message);
    }
    this.#save.disabled = false;
  }

  #fail(error) {
    this.field.showMessage("bad", error.message);
    this.#save.disabled = true;
  }
}

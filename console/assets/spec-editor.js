// Edits a dataset's labeling.yaml: its own one, or a suggestion for the files that were dropped.

import { FileEditor } from "./file-editor.js";
import { checkSpec, loadSpec, saveSpec } from "./server.js";

class SpecEditor extends FileEditor {
  #dataset = null;

  connectedCallback() {
    this.build({ id: "spec", title: "Edit labeling.yaml", name: "labeling.yaml", saveLabel: "Save and start" });
  }

  open(dataset) {
    this.#dataset = dataset;
    this.openFile(`labeling.yaml of ${dataset}`, async () => {
      const { text, exists } = await loadSpec(dataset);
      const note = exists
        ? "New batches use what you save. Batches that are cut already keep the labeling.yaml they were cut with."
        : "A suggestion for the files that were dropped. Change the labels and the texts, then save.";
      return { text, note };
    });
  }

  checkText(text) {
    return checkSpec(text);
  }

  showResult({ warning }) {
    if (warning) this.field.showMessage("warn", `This labeling.yaml is fine, but ${warning}.`);
    else this.field.showMessage("good", "This labeling.yaml is fine.");
  }

  async saveText(text) {
    await saveSpec(this.#dataset, text);
    return `labeling.yaml of ${this.#dataset} is saved.`;
  }
}

customElements.define("spec-editor", SpecEditor);

// Takes files: dropped anywhere on the page as a new dataset, or on a dataset's card as more of its files. Two buttons do
// the same without dragging.

import { emit, h, plural, setText, snippet } from "./dom.js";
import { byFolder, fromDrop, fromInput } from "./dropped-files.js";
import { path, word } from "./shell.js";

const EXAMPLE_SPEC = `task: text-classification
labels: [Even, Odd]
team: numbers-team
title: Even or odd?
description: Say whether the number is odd or even.
workers_per_item: 1
`;

class DropZone extends HTMLElement {
  #files = h("input", { type: "file", multiple: true, hidden: true, id: "files-input", "aria-label": "Files" });
  #folder = h("input", { type: "file", webkitdirectory: true, hidden: true, id: "folder-input", "aria-label": "Folder" });
  #guide = h("div", { class: "guide", hidden: true });
  #title = h("p", { class: "drop-title" });
  #dialog = null;
  /** Dataset of the files that are chosen next; `null` for a new one. */
  #target = null;

  connectedCallback() {
    const chooseFiles = h("button", { type: "button", id: "choose-files", class: "primary", onclick: () => this.choose(null) }, "Choose files");
    const chooseFolder = h("button", { type: "button", id: "choose-folder", onclick: () => this.choose(null, true) }, "Choose a folder");
    const text = h("div", {}, this.#title, h("p", { class: "muted" }, "A folder becomes a dataset of its name. Dropped on a dataset, files are added to it."));
    this.append(h("div", { class: "drop-target" }, h("div", { class: "drop-words" }, arrow(), text), h("div", { class: "row" }, chooseFiles, chooseFolder)));
    this.append(this.#guide, this.#files, this.#folder);
    for (const input of [this.#files, this.#folder]) input.addEventListener("change", () => this.#addChosen(input));
    this.#listen();
    this.showGuide(false, {});
  }

  /** Opens the file chooser, for a dataset or for a new one. */
  choose(dataset, folder = false) {
    this.#target = dataset;
    (folder ? this.#folder : this.#files).click();
  }

  #addChosen(input) {
    const files = fromInput(input);
    input.value = "";
    if (files.length > 0) this.#addFiles(files, this.#target);
  }

  #listen() {
    const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
    const clearMarks = () => {
      document.body.classList.remove("dragging");
      document.querySelectorAll(".drop-here").forEach((card) => card.classList.remove("drop-here"));
    };
    document.addEventListener("dragover", (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
      clearMarks();
      document.body.classList.add("dragging");
      (event.target.closest?.("dataset-card") ?? this).classList.add("drop-here");
    });
    document.addEventListener("dragleave", (event) => event.relatedTarget === null && clearMarks());
    document.addEventListener("drop", async (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      const card = event.target.closest?.("dataset-card");
      clearMarks();
      const files = await fromDrop(event.dataTransfer).catch(() => []);
      if (files.length > 0) this.#addFiles(files, card?.name ?? null);
      else setText(this.#title, "The dropped files cannot be read. Try the buttons.");
    });
  }

  /** Files for a dataset are added as they are; otherwise every folder becomes a dataset, and loose files need a name. */
  async #addFiles(files, dataset) {
    if (dataset !== null) return this.#send(dataset, files);
    const groups = byFolder(files);
    if (groups.size > 1 && !groups.has(null)) {
      for (const [folder, group] of groups) this.#send(folder, group);
      return;
    }
    const folder = [...groups.keys()].find((name) => name !== null) ?? "";
    const single = groups.size === 1 ? [...groups.values()][0] : files;
    const name = await this.#askName(folder, single.length);
    if (name) this.#send(name, single);
  }

  #send(dataset, files) {
    emit(this, "files", { dataset, files });
  }

  #askName(suggested, count) {
    this.#dialog?.remove();
    const input = h("input", { id: "dataset-name", required: true, maxlength: "200", autocomplete: "off", spellcheck: "false" });
    input.value = suggested;
    input.addEventListener("input", () => input.setCustomValidity(nameProblem(input.value)));
    const cancel = h("button", { type: "button", onclick: () => this.#dialog.close("") }, "Cancel");
    const confirm = h("button", { class: "primary", id: "dataset-confirm" }, `Upload ${plural(count, "file")}`);
    const form = h("form", { method: "dialog" },
      h("h2", {}, "Which dataset?"),
      h("p", { class: "muted" }, "A dataset is a folder of files that are labeled in the same way. A new name makes a new dataset."),
      h("label", { for: "dataset-name" }, "Name"), input,
      h("div", { class: "row end" }, cancel, confirm));
    this.#dialog = h("dialog", { "aria-label": "Name of the dataset" }, form);
    this.append(this.#dialog);
    this.#dialog.showModal();
    input.select();
    return new Promise((resolve) => {
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        this.#dialog.close(input.value.trim());
      });
      this.#dialog.addEventListener("close", () => resolve(this.#dialog.returnValue), { once: true });
    });
  }

  /** As long as there is no dataset, the zone is large and has a guide. */
  showGuide(empty, about) {
    setText(this.#title, empty ? "Drop files here to get them labeled" : "Drop files or a folder anywhere");
    this.classList.toggle("large", empty);
    if (empty && this.#guide.hidden) this.#guide.replaceChildren(...guide(about));
    this.#guide.hidden = !empty;
  }
}

function nameProblem(name) {
  if (name.trim() === "") return "A dataset needs a name.";
  if (name.includes("/")) return "A name has no slash.";
  if (name.trim() === "teams") return "“teams” holds team files: make a team under People, or choose another name.";
  return name.trim() === "." || name.trim() === ".." ? "Choose another name." : "";
}

function guide({ hints = {}, input_bucket: bucket = "input" }) {
  const steps = [
    step("1", "Drop the files", h("p", {}, "Texts (.txt, .csv, .tsv, .jsonl) or images (.jpg, .png), as files or as a whole folder.")),
    step("2", "Define what to label", h("p", {}, "A file ", h("code", {}, "labeling.yaml"), " in the same folder. Drop the files first, then edit the suggested one."), snippet(EXAMPLE_SPEC, "An example labeling.yaml")),
    step("3", "Watch the labels come in", h("p", {}, "Workers label in the portal. When they are done, the labels are here to download, and a notice says so.")),
  ];
  const others = [];
  if (hints.drop_folder) others.push(h("p", {}, "Or copy into a folder on this machine:"), snippet(`cp -r my-files ${path(`${hints.drop_folder}/`)}`, "Copying into the drop folder"));
  if (hints.aws_endpoint) others.push(h("p", {}, "Or with any S3 client:"), snippet(`aws s3 cp --recursive my-files ${word(`s3://${bucket}/my-files/`)} --endpoint-url ${word(hints.aws_endpoint)}`, "Uploading with the AWS CLI"));
  return [h("ol", { class: "steps" }, steps), others.length > 0 && h("div", { class: "other-ways" }, others)].filter(Boolean);
}

function step(number, title, ...content) {
  return h("li", {}, h("span", { class: "step-number", "aria-hidden": "true" }, number), h("div", {}, h("h3", {}, title), ...content));
}

function arrow() {
  const ns = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(ns, "svg");
  for (const [name, value] of Object.entries({ viewBox: "0 0 24 24", width: "28", height: "28", "aria-hidden": "true", class: "arrow" })) svg.setAttribute(name, value);
  const path = document.createElementNS(ns, "path");
  path.setAttribute("d", "M12 3v12m0 0 4.5-4.5M12 15l-4.5-4.5M4 17v2a2 2 0 0 0 2 2h12a2 2 0 0 0 2-2v-2");
  svg.append(path);
  return svg;
}

customElements.define("drop-zone", DropZone);

// One dataset: what it is, what it waits for, its jobs, and what of it was rejected.

import { h, keyed, plural, setProse, setText } from "./dom.js";
import "./job-row.js";
import { objectUrl } from "./server.js";
import { run } from "./time.js";

export const TONES = { waiting: "Waiting", working: "Labeling", done: "Done", attention: "Needs you" };
const JOBS_SHOWN = 3;
const FEW = 5;

class DatasetCard extends HTMLElement {
  #name = h("h2", { class: "card-name" });
  #tone = h("span", { class: "tone" });
  #facts = h("p", { class: "card-facts muted" });
  #message = h("p", { class: "card-message" });
  #excerpt = h("pre", { class: "excerpt", "aria-label": "The place in labeling.yaml" });
  #countdown = h("span", { class: "countdown", role: "timer" });
  #jobs = h("div", { class: "jobs" });
  #older = h("button", { type: "button", class: "link", hidden: true });
  #rejects = h("details", { class: "rejects", hidden: true });
  #rejectsTitle = h("summary");
  #rejectList = h("ul");
  #allRejects = h("a", { target: "_blank", rel: "noopener" }, "Download the whole list");
  #spec = h("button", { type: "button", class: "small" });
  #showAll = false;
  #data = null;

  connectedCallback() {
    if (this.firstChild) return;
    const add = h("button", { type: "button", class: "small", onclick: () => this.#wish("add-files") }, "Add files");
    this.#spec.addEventListener("click", () => this.#wish("edit-spec"));
    this.#older.addEventListener("click", () => {
      this.#showAll = !this.#showAll;
      this.data = this.#data;
    });
    this.#rejects.append(this.#rejectsTitle, this.#rejectList, this.#allRejects);
    const head = h("header", { class: "card-head" }, h("div", {}, this.#name, this.#facts), this.#tone);
    const says = h("div", { class: "card-says" }, this.#message, this.#excerpt, this.#countdown);
    this.append(h("article", {}, head, says, this.#jobs, this.#older, this.#rejects, h("footer", { class: "row" }, this.#spec, add)));
  }

  get name() {
    return this.#data.name;
  }

  set data(dataset) {
    this.#data = dataset;
    this.dataset.tone = dataset.tone;
    this.dataset.name = dataset.name;
    setText(this.#name, dataset.name);
    setText(this.#tone, TONES[dataset.tone]);
    setText(this.#facts, facts(dataset));
    const [said, excerpt] = parted(dataset.message);
    setProse(this.#message, said);
    setText(this.#excerpt, excerpt);
    this.#excerpt.hidden = excerpt === "";
    this.#countdown.hidden = !dataset.check_at;
    if (dataset.check_at) run(this.#countdown, "until", dataset.check_at);
    this.#drawJobs(dataset);
    this.#drawRejects(dataset);
    const missing = dataset.state === "no-spec";
    setText(this.#spec, missing ? "Write labeling.yaml" : "Edit labeling.yaml");
    this.#spec.classList.toggle("primary", missing || dataset.state === "bad-spec");
  }

  #drawJobs({ jobs, message }) {
    const shown = this.#showAll ? jobs : jobs.slice(0, JOBS_SHOWN);
    keyed(this.#jobs, shown, (job) => job.batch, () => document.createElement("job-row"), (row, job) => row.show(job, message));
    this.#jobs.hidden = jobs.length === 0;
    const older = jobs.length - JOBS_SHOWN;
    this.#older.hidden = older <= 0;
    setText(this.#older, this.#showAll ? "Show only the newest" : `Show ${plural(older, "older batch", "older batches")}`);
  }

  #drawRejects({ name, rejected, rejected_first: first, rejected_list: all }) {
    // A few are simply shown; many stay folded. Folded by hand, they stay folded.
    if (this.#rejects.hidden && rejected > 0) this.#rejects.open = rejected <= FEW;
    this.#rejects.hidden = rejected === 0;
    setText(this.#rejectsTitle, rejected === 1 ? "1 file or row was rejected" : `${rejected.toLocaleString()} files or rows were rejected`);
    const keyOf = (reject) => `${reject.key}\n${reject.row ?? ""}\n${reject.etag}`;
    keyed(this.#rejectList, first, keyOf, () => h("li", {}, h("code"), h("span")), (row, reject) => {
      const [place, reason] = row.children;
      const path = reject.key.startsWith(`${name}/`) ? reject.key.slice(name.length + 1) : reject.key;
      setText(place, reject.row ? `${path}, row ${reject.row}` : path);
      setProse(reason, reject.reason);
    });
    this.#allRejects.hidden = !all || rejected <= first.length;
    if (all) this.#allRejects.href = objectUrl(all.key);
  }

  #wish(kind) {
    this.dispatchEvent(new CustomEvent(kind, { bubbles: true, detail: this.#data.name }));
  }
}

/** A message, and the numbered lines of a file that it shows. */
function parted(message) {
  const isExcerpt = (line) => /^\s*\d*\s*\|/.test(line);
  const lines = message.split("\n");
  return [lines.filter((line) => !isExcerpt(line)).join("\n"), lines.filter(isExcerpt).join("\n")];
}

function facts({ title, task, team, items, batches, pending_files: pending, left_out: leftOut }) {
  const parts = [title, task, team && `team ${team}`];
  if (items > 0) parts.push(`${plural(items, "item")} in ${plural(batches, "batch", "batches")}`);
  if (pending > 0) parts.push(`${plural(pending, "file")} waiting`);
  if (leftOut > 0) parts.push(`${plural(leftOut, "file")} beyond the limit`);
  return parts.filter(Boolean).join(" · ");
}

customElements.define("dataset-card", DatasetCard);

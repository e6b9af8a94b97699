// One dataset: what it is, what it waits for, its jobs, and its rejected files.

import { emit, h, plural, setProse, setText, syncChildren } from "./dom.js";
import "./job-row.js";
import { objectUrl } from "./server.js";
import { showTime } from "./time.js";

export const TONES = { waiting: "Waiting", working: "Labeling", done: "Done", attention: "Needs you" };
const JOBS_SHOWN = 3;
/** With more rejects than this, their list is closed at first. */
const REJECTS_SHOWN = 5;

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
  #rejectAdvice = h("p", { class: "muted" });
  #allRejects = h("a", { target: "_blank", rel: "noopener" }, "Download the whole list");
  #spec = h("button", { type: "button", class: "small" });
  #showAll = false;
  #data = null;

  connectedCallback() {
    if (this.firstChild) return;
    const add = h("button", { type: "button", class: "small", onclick: () => emit(this, "add-files", this.name) }, "Add files");
    this.#spec.addEventListener("click", () => emit(this, "edit-spec", this.name));
    this.#older.addEventListener("click", () => {
      this.#showAll = !this.#showAll;
      this.data = this.#data;
    });
    this.#rejects.append(this.#rejectsTitle, this.#rejectList, this.#rejectAdvice, this.#allRejects);
    const head = h("header", { class: "card-head" }, h("div", {}, this.#name, this.#facts), this.#tone);
    const status = h("div", { class: "card-status" }, this.#message, this.#excerpt, this.#countdown);
    this.append(h("article", {}, head, status, this.#jobs, this.#older, this.#rejects, h("footer", { class: "row" }, this.#spec, add)));
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
    const [message, excerpt] = splitExcerpt(dataset.message);
    setProse(this.#message, message);
    setText(this.#excerpt, excerpt);
    this.#excerpt.hidden = excerpt === "";
    this.#countdown.hidden = !dataset.check_at;
    if (dataset.check_at) showTime(this.#countdown, "until", dataset.check_at);
    this.#drawJobs(dataset);
    this.#drawRejects(dataset);
    const hasNoSpec = dataset.state === "no-spec";
    setText(this.#spec, hasNoSpec ? "Write labeling.yaml" : "Edit labeling.yaml");
    this.#spec.classList.toggle("primary", hasNoSpec || dataset.state === "bad-spec");
  }

  #drawJobs({ jobs, message }) {
    const shown = this.#showAll ? jobs : jobs.slice(0, JOBS_SHOWN);
    syncChildren(this.#jobs, shown, (job) => job.batch, () => document.createElement("job-row"), (row, job) => row.show(job, message));
    this.#jobs.hidden = jobs.length === 0;
    const older = jobs.length - JOBS_SHOWN;
    this.#older.hidden = older <= 0;
    setText(this.#older, this.#showAll ? "Show only the newest" : `Show ${plural(older, "older batch", "older batches")}`);
  }

  #drawRejects({ name, rejected, rejected_first: first, rejected_advice: advice, rejected_list: all }) {
    // Only when rejects appear: a list that a person has closed stays closed.
    if (this.#rejects.hidden && rejected > 0) this.#rejects.open = rejected <= REJECTS_SHOWN;
    this.#rejects.hidden = rejected === 0;
    setText(this.#rejectsTitle, rejected === 1 ? "1 file or row was rejected" : `${rejected.toLocaleString()} files or rows were rejected`);
    const keyOf = (reject) => `${reject.key}\n${reject.row ?? ""}\n${reject.etag}`;
    syncChildren(this.#rejectList, first, keyOf, () => h("li", {}, h("code"), h("span")), (row, reject) => {
      const [file, reason] = row.children;
      const path = reject.key.startsWith(`${name}/`) ? reject.key.slice(name.length + 1) : reject.key;
      setText(file, reject.row ? `${path}, row ${reject.row}` : path);
      setProse(reason, reject.reason);
    });
    this.#rejectAdvice.hidden = !advice;
    setText(this.#rejectAdvice, advice ?? "");
    this.#allRejects.hidden = !all || rejected <= first.length;
    if (all) this.#allRejects.href = objectUrl(all.key);
  }

}

/** The sentences of a message, and the numbered lines of a file in it. */
function splitExcerpt(message) {
  const isExcerpt = (line) => /^\s*\d*\s*\|/.test(line);
  const lines = message.split("\n");
  return [lines.filter((line) => !isExcerpt(line)).join("\n"), lines.filter(isExcerpt).join("\n")];
}

function facts({ title, task, team, items, batches, pending_files: pending, left_out: leftOut, blank_rows: blank }) {
  const parts = [title, task, team && `team ${team}`];
  if (items > 0) parts.push(`${plural(items, "item")} in ${plural(batches, "batch", "batches")}`);
  if (pending > 0) parts.push(`${plural(pending, "file")} waiting`);
  if (leftOut > 0) parts.push(`${plural(leftOut, "file")} beyond the limit`);
  if (blank > 0) parts.push(`${plural(blank, "blank row")} skipped`);
  return parts.filter(Boolean).join(" · ");
}

customElements.define("dataset-card", DatasetCard);

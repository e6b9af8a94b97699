// One batch and its labeling job: how far it is, and what came of it.

import { h, keyed, plural, setText } from "./dom.js";
import { objectUrl } from "./server.js";
import { run } from "./time.js";

const WORDS = {
  starting: "Starting",
  "waiting-for-slot": "Waiting for a slot",
  refused: "Refused",
  initializing: "Initializing",
  "in-progress": "In progress",
  completed: "Completed",
  failed: "Failed",
  stopping: "Stopping",
  stopped: "Stopped",
};

class JobRow extends HTMLElement {
  #batch = h("span", { class: "job-batch" });
  #state = h("span", { class: "job-state" });
  #count = h("span", { class: "job-count" });
  #time = h("time", { class: "muted" });
  #bar = h("progress", { max: "1" });
  #reason = h("p", { class: "job-reason" });
  #results = h("ul", { class: "results" });

  connectedCallback() {
    if (this.firstChild) return;
    this.append(h("div", { class: "job-head" }, this.#batch, this.#state, this.#count, this.#time), this.#bar, this.#reason, this.#results);
  }

  set data(job) {
    this.dataset.state = job.state;
    setText(this.#batch, `Batch ${job.batch}`);
    this.#batch.title = job.name ?? "";
    setText(this.#state, WORDS[job.state] ?? job.state);
    setText(this.#count, count(job));
    this.#bar.value = job.progress;
    this.#bar.setAttribute("aria-label", `Batch ${job.batch}: ${Math.round(job.progress * 100)} % labeled`);
    this.#bar.hidden = job.state === "completed" || job.state === "refused";
    if (job.modified) run(this.#time, "since", job.modified);
    this.#reason.hidden = !job.reason;
    setText(this.#reason, job.reason ?? "");
    this.#results.hidden = job.results.length === 0;
    keyed(this.#results, job.results, (link) => link.key, result, () => {});
  }
}

function count({ counters, items }) {
  const done = counters.total_labeled.toLocaleString();
  const failed = counters.failed > 0 ? `, ${counters.failed.toLocaleString()} failed` : "";
  return `${done} of ${plural(items, "item")}${failed}`;
}

function result({ label, key }) {
  return h("li", {}, h("a", { href: objectUrl(key), target: "_blank", rel: "noopener" }, label));
}

customElements.define("job-row", JobRow);

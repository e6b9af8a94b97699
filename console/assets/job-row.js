// One batch and its labeling job: how far it is, and its results.

import { h, plural, setProse, setText, syncChildren } from "./dom.js";
import { objectUrl } from "./server.js";
import { showTime } from "./time.js";

const STATE_LABELS = {
  starting: "Starting",
  "waiting-for-slot": "Waiting for a slot",
  "waiting-for-next-day": "Waiting for the next day",
  refused: "Refused",
  initializing: "Initializing",
  "in-progress": "In progress",
  completed: "Completed",
  failed: "Failed",
  stopping: "Stopping",
  stopped: "Stopped",
};

const ENDED = new Set(["completed", "failed", "stopped"]);

class JobRow extends HTMLElement {
  #batch = h("span", { class: "job-batch" });
  #state = h("span", { class: "job-state" });
  #count = h("span", { class: "job-count" });
  #time = h("time");
  #since = h("span", { class: "job-since muted" }, h("span"), " ", this.#time);
  #labels = h("p", { class: "job-labels" });
  #bar = h("progress", { max: "1" });
  #reason = h("p", { class: "job-reason" });
  #results = h("ul", { class: "results" });

  connectedCallback() {
    if (this.firstChild) return;
    this.append(h("div", { class: "job-head" }, this.#batch, this.#state, this.#count, this.#since), this.#bar, this.#labels, this.#reason, this.#results);
  }

  /** When it started, or, once it has ended, when it ended. */
  #drawTime({ state, created, modified }) {
    this.#since.hidden = !created;
    if (!created) return;
    const hasEnded = ENDED.has(state);
    setText(this.#since.firstChild, hasEnded ? "ended" : "started");
    showTime(this.#time, "since", hasEnded ? modified : created);
  }

  /** `message`: the dataset's, which is not repeated for the job. */
  show(job, message) {
    this.dataset.state = job.state;
    setText(this.#batch, `Batch ${job.batch}`);
    this.#batch.title = job.name ?? "";
    setText(this.#state, STATE_LABELS[job.state] ?? job.state);
    setText(this.#count, itemCount(job));
    this.#bar.value = job.progress;
    this.#bar.setAttribute("aria-label", `Batch ${job.batch}: ${Math.round(job.progress * 100)} % labeled`);
    this.#bar.hidden = job.state === "completed" || job.state === "refused";
    this.#drawTime(job);
    setText(this.#labels, labelCounts(job));
    this.#labels.hidden = !job.labels;
    this.#reason.hidden = !job.reason || message.includes(job.reason);
    setProse(this.#reason, job.reason ?? "");
    this.#results.hidden = job.results.length === 0;
    syncChildren(this.#results, job.results, (link) => link.key, resultItem);
  }
}

/** Each label with its number of items, most frequent first. */
function labelCounts({ labels }) {
  if (!labels) return "";
  const given = labels.per_label.toSorted((a, b) => b.count - a.count);
  const shown = given.slice(0, 8).map(({ label, count }) => `${label} ${count.toLocaleString()}`);
  if (given.length > 8) shown.push(`${given.length - 8} other labels`);
  if (typeof labels.mean_confidence === "number") shown.push(`mean confidence ${labels.mean_confidence.toFixed(2)}`);
  return shown.join(" · ");
}

function itemCount({ counters, items, needs }) {
  const done = counters.total_labeled.toLocaleString();
  const failed = counters.failed > 0 ? `, ${counters.failed.toLocaleString()} failed` : "";
  // An item that needs several people is not done when one of them has answered it.
  const each = needs?.people > 1 ? `, ${plural(needs.people, "answer")} each` : "";
  return `${done} of ${plural(items, "item")}${failed}${each}`;
}

function resultItem({ label, key }) {
  return h("li", {}, h("a", { href: objectUrl(key), target: "_blank", rel: "noopener" }, label));
}

customElements.define("job-row", JobRow);

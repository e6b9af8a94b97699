// The notices that were published, and the messages that failed.

import { h, plural, setText, syncChildren } from "./dom.js";
import { redrive } from "./server.js";
import { showTime } from "./time.js";

const GOOD_NEWS = new Set(["job-completed", "worker-joined"]);

/** The place's list, or, where there is nothing to list, a sentence that says so. */
function listOrText(place, items, kind, emptyText) {
  const tag = items.length === 0 ? "P" : "UL";
  if (place.firstElementChild?.tagName !== tag) {
    place.replaceChildren(items.length === 0 ? h("p", { class: "muted" }, emptyText) : h("ul", { class: kind }));
  }
  return items.length === 0 ? h("ul") : place.firstElementChild;
}

export function drawNotices(place, notices) {
  place.classList.toggle("empty", notices.length === 0);
  const list = listOrText(place, notices, "notices", "Nothing yet. When a job ends, or something needs you, a notice is shown here and sent to everyone who subscribed.");
  syncChildren(list, notices, (notice) => notice.id, notice, (row, { at }) => showTime(row.time, "since", at));
}

function notice({ kind, dataset, team, subject, text }) {
  const time = h("time", { class: "muted" });
  const about = team ? `team ${team}` : dataset;
  const summary = h("summary", {}, h("span", { class: "notice-subject" }, subject), h("span", { class: "muted notice-about" }, about && `${about} · `, time));
  const row = h("li", { dataset: { good: GOOD_NEWS.has(kind) } }, h("details", {}, summary, h("pre", {}, text)));
  return Object.assign(row, { time });
}

export function drawDeadLetters(place, queues) {
  const stuck = queues.filter(({ count }) => count > 0);
  const list = listOrText(place, stuck, "dead", "None. A message that fails repeatedly is moved here.");
  syncChildren(list, stuck, ({ queue }) => queue, deadQueue, (row, { queue, count, first }) => {
    setText(row.heading, `${queue}: ${plural(count, "message")}`);
    syncChildren(row.list, first.map((text, index) => ({ text, index })), ({ index }) => index, () => h("li"), (item, { text }) => setText(item, text));
  });
}

function deadQueue({ queue }) {
  const heading = h("strong");
  const list = h("ul", { class: "dead-first" });
  const answer = h("p", { role: "status", class: "muted" });
  const button = h("button", { type: "button", class: "small" }, "Send back");
  button.title = "Sends the messages to the function again";
  button.addEventListener("click", async () => {
    button.disabled = true;
    setText(answer, "Sending back…");
    await redrive(queue).then(() => setText(answer, "Sent back. They are retried."), (error) => setText(answer, error.message));
    button.disabled = false;
  });
  return Object.assign(h("li", {}, h("div", { class: "dead-head" }, heading, button), answer, list), { heading, list });
}

// What has been said (notices) and what got stuck (dead letters).

import { h, keyed, plural, setText } from "./dom.js";
import { redrive } from "./server.js";
import { run } from "./time.js";

const GOOD = new Set(["job-completed", "worker-joined"]);

export function drawNotices(place, notices) {
  const empty = notices.length === 0;
  place.classList.toggle("empty", empty);
  if (empty) return place.replaceChildren(h("p", { class: "muted" }, "Nothing yet. When a job ends, or something needs you, it is said here and sent to everyone who subscribed."));
  if (place.firstElementChild?.tagName !== "UL") place.replaceChildren(h("ul", { class: "notices" }));
  keyed(place.firstElementChild, notices, (notice) => notice.id, notice, (row, { at }) => run(row.time, "since", at));
}

function notice({ kind, dataset, team, subject, text }) {
  const time = h("time", { class: "muted" });
  const about = team ? `team ${team}` : dataset;
  const summary = h("summary", {}, h("span", { class: "notice-subject" }, subject), h("span", { class: "muted notice-about" }, about && `${about} · `, time));
  const row = h("li", { dataset: { good: GOOD.has(kind) } }, h("details", {}, summary, h("pre", {}, text)));
  return Object.assign(row, { time });
}

export function drawDeadLetters(place, queues) {
  const stuck = queues.filter(({ count }) => count > 0);
  if (stuck.length === 0) return place.replaceChildren(h("p", { class: "muted" }, "None. Messages that fail again and again would be put aside here."));
  if (place.firstElementChild?.tagName !== "UL") place.replaceChildren(h("ul", { class: "dead" }));
  keyed(place.firstElementChild, stuck, ({ queue }) => queue, deadQueue, (row, { queue, count, first }) => {
    setText(row.heading, `${queue}: ${plural(count, "message")}`);
    keyed(row.list, first.map((text, index) => ({ text, index })), ({ index }) => index, () => h("li"), (item, { text }) => setText(item, text));
  });
}

function deadQueue({ queue }) {
  const heading = h("strong");
  const list = h("ul", { class: "dead-first" });
  const answer = h("p", { role: "status", class: "muted" });
  const button = h("button", { type: "button", class: "small" }, "Send back");
  button.title = "Hands the messages to the function once more";
  button.addEventListener("click", async () => {
    button.disabled = true;
    setText(answer, "Sending back…");
    await redrive(queue).then(() => setText(answer, "Sent back. They are being tried again."), (error) => setText(answer, error.message));
    button.disabled = false;
  });
  return Object.assign(h("li", {}, h("div", { class: "dead-head" }, heading, button), answer, list), { heading, list });
}

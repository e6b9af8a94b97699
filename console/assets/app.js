// Wires the page: the live model into the parts that show it, what people do into uploads and specs.

import { drawDatasets } from "./dataset-list.js";
import { h, keyed, plural, setProse, setText } from "./dom.js";
import "./drop-zone.js";
import { drawPeople, openPage } from "./people-page.js";
import { follow, signOut } from "./server.js";
import { drawDeadLetters, drawNotices } from "./side-lists.js";
import "./spec-editor.js";
import "./team-editor.js";
import "./team-form.js";
import { setClock } from "./time.js";
import "./uploads.js";

const at = (id) => document.getElementById(id);

const LIVE = { live: "Live", lost: "Reconnecting…", locked: "Signed out: open a new link, which groundcrew link prints" };

function show({ now, about, model, people, people_revision: revision }) {
  setClock(now);
  at("to-portal").href = about.portal_url;
  showOutbox(about.outbox_url);
  drawDatasets(model.datasets);
  at("drop").teach(model.datasets.length === 0, about);
  setText(at("totals"), totals(model.datasets));
  drawPeople(model.crew, people, revision);
  drawNotices(at("notices"), model.notices);
  drawDeadLetters(at("dead-letters"), model.dead_letters);
  setText(at("to-news"), news(model));
  drawProblems([...model.problems, ...model.misplaced]);
}

/** It opens on its own machine alone; whoever looks from elsewhere is told. */
function showOutbox(url) {
  const link = at("to-outbox");
  link.hidden = !url;
  if (!url) return;
  link.href = url;
  const elsewhere = new URL(url).hostname !== location.hostname;
  setText(link, elsewhere ? "Outbox (on its machine)" : "Outbox");
  link.title = elsewhere ? `Opens in a browser on the machine that Groundcrew runs on, at ${url}` : "";
}

function totals(datasets) {
  if (datasets.length === 0) return "";
  const jobs = datasets.flatMap((dataset) => dataset.jobs);
  const labeled = jobs.reduce((sum, job) => sum + job.counters.total_labeled, 0);
  const items = jobs.reduce((sum, job) => sum + job.items, 0);
  const waiting = datasets.filter(({ tone }) => tone === "attention").length;
  const parts = [plural(datasets.length, "dataset"), `${labeled.toLocaleString()} of ${plural(items, "item")} labeled`];
  if (waiting > 0) parts.push(waiting === 1 ? "1 needs you" : `${waiting} need you`);
  return parts.join(" · ");
}

/** On a narrow page they lie below everything. */
function news({ notices, dead_letters: queues }) {
  const failed = queues.reduce((sum, { count }) => sum + count, 0);
  const parts = [notices.length > 0 ? plural(notices.length, "notice") : "Notices"];
  if (failed > 0) parts.push(`${failed.toLocaleString()} failed`);
  return parts.join(" · ");
}

at("sign-out").addEventListener("click", () => signOut());

at("to-news").addEventListener("click", () => {
  at("news").scrollIntoView({ block: "start" });
  at("news").focus({ preventScroll: true });
});

function drawProblems(problems) {
  at("problems").hidden = problems.length === 0;
  keyed(at("problems"), problems, (text) => text, () => h("p"), setProse);
}

document.addEventListener("files", ({ detail }) => at("uploads").add(detail.dataset, detail.files));
document.addEventListener("add-files", ({ detail }) => at("drop").choose(detail));
document.addEventListener("edit-spec", ({ detail }) => at("spec-editor").open(detail));

document.addEventListener("edit-team", ({ detail }) => at("team-editor").open(detail));
document.addEventListener("saved", ({ detail }) => say(detail));

let silence;

/** One line for what was just done. */
function say(text) {
  setText(at("toast"), text);
  clearTimeout(silence);
  silence = setTimeout(() => setText(at("toast"), ""), 5000);
}

addEventListener("hashchange", openPage);
openPage();

follow(show, (state) => {
  at("live").dataset.state = state;
  setText(at("live"), LIVE[state]);
});

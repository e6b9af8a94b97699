// Wires the page: the live model into the parts that show it, what people do into uploads and specs.

import "./dataset-card.js";
import { h, keyed, plural, setProse, setText } from "./dom.js";
import "./drop-zone.js";
import { drawPeople, openPage } from "./people-page.js";
import { follow } from "./server.js";
import { drawDeadLetters, drawNotices } from "./side-lists.js";
import "./spec-editor.js";
import "./team-editor.js";
import "./team-form.js";
import { setClock } from "./time.js";
import "./uploads.js";

const at = (id) => document.getElementById(id);

const LIVE = { live: "Live", lost: "Reconnecting…", locked: "Signed out: open the link of groundcrew up again" };

function show({ now, about, model, people, people_revision: revision }) {
  setClock(now);
  at("to-portal").href = about.portal_url;
  at("to-outbox").hidden = !about.outbox_url;
  if (about.outbox_url) at("to-outbox").href = about.outbox_url;
  keyed(at("dataset-cards"), model.datasets, ({ name }) => name, () => document.createElement("dataset-card"), (card, dataset) => (card.data = dataset));
  at("drop").teach(model.datasets.length === 0, about);
  setText(at("totals"), totals(model.datasets));
  drawPeople(model.crew, people, revision);
  drawNotices(at("notices"), model.notices);
  drawDeadLetters(at("dead-letters"), model.dead_letters);
  drawProblems([...model.problems, ...model.misplaced]);
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

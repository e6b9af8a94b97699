// Connects the parts of the page: the live model is drawn, and what people do becomes uploads and edits.

import { drawDatasets } from "./dataset-list.js";
import { byId, h, needYou, plural, setProse, setText, syncChildren } from "./dom.js";
import "./drop-zone.js";
import { drawPeople, showPage } from "./people-page.js";
import { follow, signOut } from "./server.js";
import { drawDeadLetters, drawNotices } from "./side-lists.js";
import "./spec-editor.js";
import "./adopt-dialog.js";
import "./team-editor.js";
import "./team-form.js";
import { setServerTime } from "./time.js";
import "./uploads.js";

const CONNECTION = { live: "Live", lost: "Reconnecting…", locked: "Signed out: open a new link, which groundcrew link prints" };

function draw({ now, about, model, people, people_revision: revision }) {
  setServerTime(now);
  byId("to-portal").href = about.portal_url;
  drawOutboxLink(about.outbox_url);
  drawDatasets(model.datasets);
  byId("drop").showGuide(model.datasets.length === 0, about);
  setText(byId("totals"), totals(model.datasets));
  drawPeople(model.crew, people, revision);
  drawNotices(byId("notices"), model.notices);
  drawDeadLetters(byId("dead-letters"), model.dead_letters);
  setText(byId("to-news"), newsLink(model));
  drawProblems([...model.problems, ...model.incomplete, ...model.misplaced]);
}

/** The outbox opens only on its own machine; a browser on another one gets a hint. */
function drawOutboxLink(url) {
  const link = byId("to-outbox");
  link.hidden = !url;
  if (!url) return;
  link.href = url;
  const isElsewhere = new URL(url).hostname !== location.hostname;
  setText(link, isElsewhere ? "Outbox (on its machine)" : "Outbox");
  link.title = isElsewhere ? `Opens in a browser on the machine that Groundcrew runs on, at ${url}` : "";
}

function totals(datasets) {
  if (datasets.length === 0) return "";
  const jobs = datasets.flatMap((dataset) => dataset.jobs);
  const labeled = jobs.reduce((sum, job) => sum + job.counters.total_labeled, 0);
  const items = jobs.reduce((sum, job) => sum + job.items, 0);
  const parts = [plural(datasets.length, "dataset"), `${labeled.toLocaleString()} of ${plural(items, "item")} labeled`, needYou(datasets)];
  return parts.filter(Boolean).join(" · ");
}

/** The text of the link to notices and failed messages, which are at the end of a narrow page. */
function newsLink({ notices, dead_letters: queues }) {
  const failed = queues.reduce((sum, { count }) => sum + count, 0);
  const parts = [notices.length > 0 ? plural(notices.length, "notice") : "Notices"];
  if (failed > 0) parts.push(`${failed.toLocaleString()} failed`);
  return parts.join(" · ");
}

byId("sign-out").addEventListener("click", () => signOut());

byId("to-news").addEventListener("click", () => {
  byId("news").scrollIntoView({ block: "start" });
  byId("news").focus({ preventScroll: true });
});

function drawProblems(problems) {
  byId("problems").hidden = problems.length === 0;
  syncChildren(byId("problems"), problems, (text) => text, () => h("p"), setProse);
}

document.addEventListener("files", ({ detail }) => byId("uploads").add(detail.dataset, detail.files));
document.addEventListener("add-files", ({ detail }) => byId("drop").choose(detail));
document.addEventListener("edit-spec", ({ detail }) => byId("spec-editor").open(detail));

document.addEventListener("edit-team", ({ detail }) => byId("team-editor").open(detail));
document.addEventListener("adopt-team", ({ detail }) => byId("adopt-dialog").open(detail));
document.addEventListener("saved", ({ detail }) => showToast(detail));

let toastTimer;

/** Shows for a few seconds what was just done. */
function showToast(text) {
  setText(byId("toast"), text);
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => setText(byId("toast"), ""), 5000);
}

addEventListener("hashchange", showPage);
showPage();

follow(draw, (state) => {
  byId("live").dataset.state = state;
  setText(byId("live"), CONNECTION[state]);
});

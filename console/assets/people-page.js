// The page of teams and people. The address says which page is open.

import { byId, needYou, plural, setProse, setText, syncChildren } from "./dom.js";
import "./people-table.js";
import "./team-card.js";

/** Shows the page that the address names. */
export function showPage() {
  const people = location.hash === "#people";
  byId("datasets-page").hidden = people;
  byId("people-page").hidden = !people;
  setCurrent(byId("to-datasets"), !people);
  setCurrent(byId("to-people"), people);
  document.title = people ? "People · Groundcrew console" : "Groundcrew console";
  if (people) byId("people-table").load();
}

function setCurrent(link, isCurrent) {
  if (isCurrent) link.setAttribute("aria-current", "page");
  else link.removeAttribute("aria-current");
}

export function drawPeople({ teams, unlisted, without_file: without }, people, revision) {
  byId("no-team").hidden = teams.length > 0;
  byId("without-file").hidden = without.length === 0;
  setProse(byId("without-file"), withoutFile(without));
  byId("invite-hint").hidden = teams.length > 0;
  byId("people-table").hidden = people === 0;
  byId("unlisted").hidden = unlisted === 0;
  setText(byId("unlisted"), unlisted === 1
    ? "1 person signed up or signed in and is in no team file: no team, no work. Add the address to a team file, or ignore it."
    : `${unlisted.toLocaleString()} people signed up or signed in and are in no team file: no team, no work. Add their addresses to a team file, or ignore it.`);
  setText(byId("people-totals"), totals(teams, people));
  syncChildren(byId("teams"), teams, ({ name }) => name, () => document.createElement("team-card"), (card, team) => (card.data = team));
  byId("people-table").update(teams, revision);
}

function withoutFile(names) {
  const list = names.map((name) => `\`${name}\``).join(", ");
  const [what, them] = names.length === 1 ? ["A work team", "it"] : ["Work teams", "them"];
  return `${what} without a team file: ${list}. A \`labeling.yaml\` can name ${them}, too; the people in ${them} are not known here.`;
}

function totals(teams, people) {
  if (teams.length === 0) return "";
  const parts = [plural(teams.length, "team"), plural(people, "person", "people"), needYou(teams)];
  return parts.filter(Boolean).join(" · ");
}

document.addEventListener("show-people", ({ detail }) => byId("people-table").filter(detail));
byId("new-team").addEventListener("click", () => byId("team-form").open());

// The page of teams and people, beside that of datasets; the address says which is open.

import { keyed, plural, setProse, setText } from "./dom.js";
import "./people-table.js";
import "./team-card.js";

const at = (id) => document.getElementById(id);

/** Shows the page that the address names. */
export function openPage() {
  const people = location.hash === "#people";
  at("datasets-page").hidden = people;
  at("people-page").hidden = !people;
  mark(at("to-datasets"), !people);
  mark(at("to-people"), people);
  document.title = people ? "People · Groundcrew console" : "Groundcrew console";
  if (people) at("people-table").load();
}

function mark(link, here) {
  if (here) link.setAttribute("aria-current", "page");
  else link.removeAttribute("aria-current");
}

export function drawPeople({ teams, unlisted, without_file: without }, people, revision) {
  at("no-team").hidden = teams.length > 0;
  at("without-file").hidden = without.length === 0;
  setProse(at("without-file"), withoutFile(without));
  at("invite-hint").hidden = teams.length > 0;
  at("people-table").hidden = people === 0;
  at("unlisted").hidden = unlisted === 0;
  setText(at("unlisted"), unlisted === 1
    ? "1 person signed up or signed in and is on no list: no team, no work. Put the address into a team file, or leave it."
    : `${unlisted.toLocaleString()} people signed up or signed in and are on no list: no team, no work. Put their addresses into a team file, or leave it.`);
  setText(at("people-totals"), totals(teams, people));
  keyed(at("teams"), teams, ({ name }) => name, () => document.createElement("team-card"), (card, team) => (card.data = team));
  at("people-table").update(teams, revision);
}

function withoutFile(names) {
  const said = names.map((name) => `\`${name}\``).join(", ");
  const [what, them] = names.length === 1 ? ["A work team", "it"] : ["Work teams", "them"];
  return `${what} without a team file: ${said}. A \`labeling.yaml\` can name ${them} as well; who is in ${them} is not known here.`;
}

function totals(teams, people) {
  if (teams.length === 0) return "";
  const parts = [plural(teams.length, "team"), plural(people, "person", "people")];
  const waiting = teams.filter(({ tone }) => tone === "attention").length;
  if (waiting > 0) parts.push(waiting === 1 ? "1 needs you" : `${waiting} need you`);
  return parts.join(" · ");
}

document.addEventListener("show-people", ({ detail }) => at("people-table").filter(detail));
at("new-team").addEventListener("click", () => at("team-form").open());

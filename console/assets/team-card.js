// One team: whose it is, whether its work team is made or why not, and how its people stand.

import { h, keyed, setProse, setText } from "./dom.js";

const TONES = { waiting: "Waiting", working: "Inviting", done: "Ready", attention: "Needs you" };

/** By key of the counts: the word, and the state it filters by. */
const COUNTS = [
  ["joined", "joined"],
  ["invited", "invited"],
  ["waiting", "not invited yet"],
  ["expired", "invitation ran out"],
  ["unreachable", "cannot be reached"],
  ["left", "left"],
];

class TeamCard extends HTMLElement {
  #name = h("h2", { class: "card-name" });
  #facts = h("p", { class: "card-facts muted" });
  #portal = h("a", { target: "_blank", rel: "noopener" });
  #workteam = h("p", { class: "card-facts muted" });
  #tone = h("span", { class: "tone" });
  #message = h("p", { class: "card-message" });
  #problems = h("ul", { class: "team-problems" });
  #counts = h("ul", { class: "counts" });
  #edit = h("button", { type: "button", class: "small" });
  #data = null;

  connectedCallback() {
    if (this.firstChild) return;
    const head = h("header", { class: "card-head" }, h("div", {}, this.#name, this.#facts, this.#workteam), this.#tone);
    this.#edit.addEventListener("click", () => this.#wish("edit-team", { team: this.#data.name }));
    this.append(h("article", {}, head, h("div", { class: "card-says" }, this.#message, this.#problems), this.#counts, h("footer", { class: "row" }, this.#edit)));
  }

  set data(team) {
    this.#data = team;
    this.dataset.tone = team.tone;
    this.dataset.name = team.name;
    setText(this.#name, team.name);
    setText(this.#tone, TONES[team.tone]);
    this.#drawFacts(team);
    setProse(this.#message, team.message);
    keyed(this.#problems, team.problems, ({ line, message }) => `${line ?? ""}\n${message}`, (problem) => this.#problem(problem), () => {});
    this.#problems.hidden = team.problems.length === 0;
    const counts = COUNTS.filter(([key]) => team.counts[key] > 0);
    keyed(this.#counts, counts, ([key]) => key, (count) => this.#count(count), (row, [key, word]) => setText(row.firstChild, `${team.counts[key].toLocaleString()} ${word}`));
    this.#counts.hidden = counts.length === 0;
    setText(this.#edit, team.has_file ? "Edit team file" : "Put the file back");
  }

  #drawFacts({ organization, contact, description, portal_url: portal, workteam_arn: arn, work_notices: notices }) {
    this.#facts.hidden = organization === undefined;
    if (this.#facts.hidden) return setText(this.#workteam, "");
    setText(this.#portal, portal ? portal.replace(/^https?:\/\//, "") : "");
    if (portal) this.#portal.href = portal;
    const said = [organization, contact && `contact ${contact}`, description].filter(Boolean).join(" · ");
    if (this.#facts.firstChild?.textContent !== said) this.#facts.replaceChildren(said);
    const made = arn ? "Work team made" : "No work team yet";
    const parts = [made, notices ? "people are told when work waits" : null].filter(Boolean).join(" · ");
    this.#workteam.replaceChildren(parts, ...(portal ? [" · they label at ", this.#portal] : []));
    this.#workteam.title = arn ?? "";
  }

  #problem({ line, message }) {
    const said = h("span");
    setProse(said, message);
    const open = () => this.#wish("edit-team", { team: this.#data.name, line });
    return h("li", {}, line && h("button", { type: "button", class: "link", onclick: open }, `Line ${line}`), line && " ", said);
  }

  #count([key]) {
    const show = () => this.#wish("show-people", { team: this.#data.name, state: key });
    return h("li", {}, h("button", { type: "button", class: "count", dataset: { state: key }, onclick: show }));
  }

  #wish(kind, detail) {
    this.dispatchEvent(new CustomEvent(kind, { bubbles: true, detail }));
  }
}

customElements.define("team-card", TeamCard);

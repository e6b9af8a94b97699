// One team: whose it is, whether it has a work team or why not, and the states of its people.

import { emit, h, prose, setProse, setText, syncChildren } from "./dom.js";
import { label } from "./states.js";

const TONES = { waiting: "Waiting", working: "Inviting", done: "Ready", attention: "Needs you" };

/** The states that are counted, in the order they are shown. */
const COUNTED = ["joined", "invited", "waiting", "expired", "unreachable", "left"];

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
  #adopt = h("button", { type: "button", class: "small", hidden: true }, "Take over the existing group and work team");
  #data = null;

  connectedCallback() {
    if (this.firstChild) return;
    const head = h("header", { class: "card-head" }, h("div", {}, this.#name, this.#facts, this.#workteam), this.#tone);
    this.#edit.addEventListener("click", () => emit(this, "edit-team", { team: this.#data.name }));
    this.#adopt.addEventListener("click", () => emit(this, "adopt-team", this.#data.name));
    this.append(h("article", {}, head, h("div", { class: "card-status" }, this.#message, this.#problems), this.#counts, h("footer", { class: "row" }, this.#edit, this.#adopt)));
  }

  set data(team) {
    this.#data = team;
    this.dataset.tone = team.tone;
    this.dataset.name = team.name;
    setText(this.#name, team.name);
    setText(this.#tone, TONES[team.tone]);
    this.#drawFacts(team);
    setProse(this.#message, team.message);
    syncChildren(this.#problems, team.problems, ({ line, message }) => `${line ?? ""}\n${message}`, (problem) => this.#problem(problem));
    this.#problems.hidden = team.problems.length === 0;
    const counts = COUNTED.filter((state) => team.counts[state] > 0);
    syncChildren(this.#counts, counts, (state) => state, (state) => this.#count(state), (row, state) => setText(row.firstChild, `${team.counts[state].toLocaleString()} ${label(state)}`));
    this.#counts.hidden = counts.length === 0;
    setText(this.#edit, team.has_file ? "Edit team file" : "Put the file back");
    this.#adopt.hidden = !team.can_be_adopted;
  }

  #drawFacts({ organization, contact, description, portal_url: portal, workteam_arn: arn, work_notices: notices }) {
    this.#facts.hidden = organization === undefined;
    if (this.#facts.hidden) return setText(this.#workteam, "");
    setText(this.#portal, portal ? portal.replace(/^https?:\/\//, "") : "");
    if (portal) this.#portal.href = portal;
    const owner = [organization, contact && `contact ${contact}`, description].filter(Boolean).join(" · ");
    if (this.#facts.firstChild?.textContent !== owner) this.#facts.replaceChildren(owner);
    const made = arn ? "Work team ready" : "No work team yet";
    const parts = [made, notices ? "people are notified when work waits" : null].filter(Boolean).join(" · ");
    this.#workteam.replaceChildren(parts, ...(portal ? [" · they label at ", this.#portal] : []));
    this.#workteam.title = arn ?? "";
  }

  #problem({ line, message }) {
    const open = () => emit(this, "edit-team", { team: this.#data.name, line });
    return h("li", {}, line && h("button", { type: "button", class: "link", onclick: open }, `Line ${line}`), line && " ", prose("span", message));
  }

  #count(state) {
    const show = () => emit(this, "show-people", { team: this.#data.name, state });
    return h("li", {}, h("button", { type: "button", class: "count", dataset: { state }, onclick: show }));
  }

}

customElements.define("team-card", TeamCard);

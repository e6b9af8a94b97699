// All people, 100 at a time: the server searches, filters and sorts, because there may be thousands.

import { h, plural, setText, syncChildren } from "./dom.js";
import { loadPeople } from "./server.js";
import { STATES, label } from "./states.js";
import { showTime, workTime } from "./time.js";
import { withTooltip } from "./tooltip.js";

const PEOPLE_PER_PAGE = 100;

const LAST_SEEN_HINT = "The latest of joining and the last answer submitted. A visit to the portal without an answer is not recorded.";
const ANSWERS_HINT = "Answers in the jobs that have ended, and the time from accepting a task to submitting it. Those in a job that still runs are counted when it ends.";

class PeopleTable extends HTMLElement {
  #search = h("input", { type: "search", id: "people-search", placeholder: "Search address or team", "aria-label": "Search people", autocomplete: "off", spellcheck: "false" });
  #team = h("select", { id: "people-team", "aria-label": "Team" });
  #state = h("select", { id: "people-state", "aria-label": "State" }, h("option", { value: "" }, "Every state"), Object.entries(STATES).map(([state, [name]]) => h("option", { value: state }, capitalized(name))));
  #sort = h("select", { id: "people-sort", "aria-label": "Order" }, h("option", { value: "address" }, "By address"), h("option", { value: "answers" }, "Most answers first"), h("option", { value: "last-seen" }, "Last seen first"));
  #body = h("tbody");
  #table = h("table", { class: "people" }, h("caption", { class: "unseen" }, "People"), tableHead(), this.#body);
  #found = h("p", { class: "muted", role: "status" });
  #before = h("button", { type: "button", class: "small", onclick: () => this.#turn(-PEOPLE_PER_PAGE) }, "Previous");
  #after = h("button", { type: "button", class: "small", onclick: () => this.#turn(PEOPLE_PER_PAGE) }, "Next");
  #pages = h("nav", { class: "row pages", "aria-label": "Pages of people" }, this.#before, this.#after);
  #from = 0;
  #revision = null;
  #latestRequest = 0;
  #timer = null;

  connectedCallback() {
    if (this.firstChild) return;
    this.append(h("div", { class: "filters" }, this.#search, this.#team, this.#state, this.#sort), this.#found, h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "People" }, this.#table), this.#pages, legend());
    this.#search.addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#reload(), 200);
    });
    for (const select of [this.#team, this.#state, this.#sort]) select.addEventListener("change", () => this.#reload());
  }

  /** Called when the model has changed. */
  update(teams, revision) {
    const names = ["", ...teams.map(({ name }) => name)];
    syncChildren(this.#team, names, (name) => name, (name) => h("option", { value: name }, name || "Every team"));
    if (revision === this.#revision) return;
    this.#revision = revision;
    if (this.checkVisibility()) this.load();
  }

  /** Shows the people of a team who are in a state. */
  filter({ team, state }) {
    this.#team.value = team;
    this.#state.value = state;
    this.#search.value = "";
    this.#reload();
    this.scrollIntoView({ block: "start" });
    this.#search.focus();
  }

  #reload() {
    this.#from = 0;
    this.load();
  }

  #turn(by) {
    this.#from = Math.max(0, this.#from + by);
    this.load();
  }

  async load() {
    const request = ++this.#latestRequest;
    const query = { search: this.#search.value, team: this.#team.value, sort: this.#sort.value, from: this.#from };
    if (this.#state.value) query.state = this.#state.value;
    try {
      const page = await loadPeople(query);
      // An earlier request may be answered last.
      if (request === this.#latestRequest) this.#draw(page);
    } catch (error) {
      setText(this.#found, error.message);
    }
  }

  #draw({ total, matching, from, people }) {
    this.#from = from;
    const shown = matching > PEOPLE_PER_PAGE ? `, ${(from + 1).toLocaleString()} to ${(from + people.length).toLocaleString()} shown` : "";
    const count = matching === total ? plural(total, "person", "people") : `${matching.toLocaleString()} of ${plural(total, "person", "people")}`;
    setText(this.#found, total === 0 ? "No one has been invited yet." : count + shown);
    this.#pages.hidden = matching <= PEOPLE_PER_PAGE;
    this.#before.disabled = from === 0;
    this.#after.disabled = from + people.length >= matching;
    this.#table.hidden = people.length === 0;
    syncChildren(this.#body, people, ({ id }) => id, makeRow, drawRow);
  }
}

function tableHead() {
  const tip = (name, text) => h("th", { scope: "col", class: "number" }, withTooltip(name, text));
  return h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Address"), h("th", { scope: "col" }, "State"), h("th", { scope: "col" }, "Teams"), h("th", { scope: "col", class: "number" }, "Invitations"), tip("Last seen", LAST_SEEN_HINT), tip("Answers in ended jobs", ANSWERS_HINT)));
}

function makeRow() {
  const parts = {
    email: h("span", { class: "email" }),
    problem: h("span", { class: "row-problem" }),
    state: h("span", { class: "state" }),
    since: h("time", { class: "muted" }),
    teams: h("ul", { class: "places" }),
    invitations: h("td", { class: "number" }),
    seen: h("time"),
    answers: h("span"),
    time: h("span", { class: "spent muted" }),
  };
  const row = h("tr", {}, h("th", { scope: "row" }, parts.email, parts.problem), h("td", {}, parts.state, parts.since), h("td", {}, parts.teams), parts.invitations, h("td", { class: "number" }, parts.seen), h("td", { class: "number" }, parts.answers, parts.time));
  return Object.assign(row, { parts });
}

function drawRow({ parts }, person) {
  const [state, meaning] = STATES[person.state];
  setText(parts.email, person.email);
  setText(parts.problem, person.problem ?? "");
  parts.problem.hidden = !person.problem;
  setText(parts.state, state);
  parts.state.dataset.state = person.state;
  parts.state.title = meaning;
  showTime(parts.since, "since", person.since);
  syncChildren(parts.teams, person.teams, ({ team }) => team, () => h("li"), (item, { team, state, since }) => {
    setText(item, state === person.state ? team : `${team} (${label(state)})`);
    item.title = `${label(state)} since ${new Date(since).toLocaleString()}`;
  });
  setText(parts.invitations, person.invitations.toLocaleString());
  if (person.last_seen) showTime(parts.seen, "since", person.last_seen);
  else {
    delete parts.seen.dataset.since;
    setText(parts.seen, "never");
  }
  setText(parts.answers, person.answers.toLocaleString());
  setText(parts.time, person.answers === 0 ? "" : `in ${workTime(person.seconds)}`);
}

function legend() {
  const rows = Object.values(STATES).flatMap(([name, meaning]) => [h("dt", {}, capitalized(name)), h("dd", {}, meaning)]);
  return h("details", { class: "legend" }, h("summary", {}, "What the states mean"), h("dl", {}, rows));
}

function capitalized(word) {
  return word[0].toUpperCase() + word.slice(1);
}

customElements.define("people-table", PeopleTable);

// Everyone, a hundred at a time: searched, filtered and sorted by the server, because there may be thousands.

import { h, keyed, plural, setText } from "./dom.js";
import { loadPeople } from "./server.js";
import { explained } from "./tip.js";
import { run, spent } from "./time.js";

const PAGE = 100;

/** State: in plain words, and what Cognito calls it. */
const STATES = {
  waiting: ["not invited yet", "No account in Cognito yet: the day's mail is used up, or it has not been this person's turn."],
  invited: ["invited", "Cognito: FORCE_CHANGE_PASSWORD. The invitation is on its way; the temporary password has not been changed."],
  expired: ["invitation ran out", "Cognito: FORCE_CHANGE_PASSWORD, and the temporary password has run out. No more invitations are sent."],
  joined: ["joined", "Cognito: CONFIRMED. Has set a password and is in the team's group."],
  unreachable: ["cannot be reached", "The mail came back, or was refused. Correct the address in the team file."],
  leaving: ["leaving", "Taken out of the file, and still in the team's group for a moment."],
  left: ["left", "Taken out of the file and of the group. The account stays."],
};

const SEEN = "The latest of joining and the last answer submitted. Looking at the portal without answering leaves no trace.";
const ANSWERS = "Answers in the jobs that have ended, and the time from accepting a task to submitting it. Those in a job that still runs are counted when it ends.";

class PeopleTable extends HTMLElement {
  #search = h("input", { type: "search", id: "people-search", placeholder: "Search address or team", "aria-label": "Search people", autocomplete: "off", spellcheck: "false" });
  #team = h("select", { id: "people-team", "aria-label": "Team" });
  #state = h("select", { id: "people-state", "aria-label": "State" }, h("option", { value: "" }, "Every state"), Object.entries(STATES).map(([key, [word]]) => h("option", { value: key }, capital(word))));
  #sort = h("select", { id: "people-sort", "aria-label": "Order" }, h("option", { value: "address" }, "By address"), h("option", { value: "answers" }, "Most answers first"), h("option", { value: "last-seen" }, "Last seen first"));
  #body = h("tbody");
  #table = h("table", { class: "people" }, h("caption", { class: "unseen" }, "People"), head(), this.#body);
  #found = h("p", { class: "muted", role: "status" });
  #before = h("button", { type: "button", class: "small", onclick: () => this.#turn(-PAGE) }, "Previous");
  #after = h("button", { type: "button", class: "small", onclick: () => this.#turn(PAGE) }, "Next");
  #pages = h("nav", { class: "row pages", "aria-label": "Pages of people" }, this.#before, this.#after);
  #from = 0;
  #revision = null;
  #asked = 0;
  #timer = null;

  connectedCallback() {
    if (this.firstChild) return;
    this.append(h("div", { class: "filters" }, this.#search, this.#team, this.#state, this.#sort), this.#found, h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "People" }, this.#table), this.#pages, legend());
    this.#search.addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#again(), 200);
    });
    for (const select of [this.#team, this.#state, this.#sort]) select.addEventListener("change", () => this.#again());
  }

  /** The model has changed: other teams, perhaps other people. */
  update(teams, revision) {
    const names = ["", ...teams.map(({ name }) => name)];
    keyed(this.#team, names, (name) => name, (name) => h("option", { value: name }, name || "Every team"), () => {});
    if (revision === this.#revision) return;
    this.#revision = revision;
    if (this.checkVisibility()) this.load();
  }

  /** Shows the people of a team who are in a state. */
  filter({ team, state }) {
    this.#team.value = team;
    this.#state.value = state;
    this.#search.value = "";
    this.#again();
    this.scrollIntoView({ block: "start" });
    this.#search.focus();
  }

  #again() {
    this.#from = 0;
    this.load();
  }

  #turn(by) {
    this.#from = Math.max(0, this.#from + by);
    this.load();
  }

  async load() {
    const asked = ++this.#asked;
    const wanted = { search: this.#search.value, team: this.#team.value, sort: this.#sort.value, from: this.#from };
    if (this.#state.value) wanted.state = this.#state.value;
    try {
      const page = await loadPeople(wanted);
      // A later question may have been answered first.
      if (asked === this.#asked) this.#draw(page);
    } catch (error) {
      setText(this.#found, error.message);
    }
  }

  #draw({ total, matching, from, people }) {
    this.#from = from;
    const here = matching > PAGE ? `, ${(from + 1).toLocaleString()} to ${(from + people.length).toLocaleString()} shown` : "";
    const found = matching === total ? plural(total, "person", "people") : `${matching.toLocaleString()} of ${plural(total, "person", "people")}`;
    setText(this.#found, total === 0 ? "Nobody has been invited yet." : found + here);
    this.#pages.hidden = matching <= PAGE;
    this.#before.disabled = from === 0;
    this.#after.disabled = from + people.length >= matching;
    this.#table.hidden = people.length === 0;
    keyed(this.#body, people, ({ id }) => id, makeRow, drawRow);
  }
}

function head() {
  const tip = (name, text) => h("th", { scope: "col", class: "number" }, explained(name, text));
  return h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Address"), h("th", { scope: "col" }, "State"), h("th", { scope: "col" }, "Teams"), h("th", { scope: "col", class: "number" }, "Invitations"), tip("Last seen", SEEN), tip("Answers in ended jobs", ANSWERS)));
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
    spent: h("span", { class: "spent muted" }),
  };
  const row = h("tr", {}, h("th", { scope: "row" }, parts.email, parts.problem), h("td", {}, parts.state, parts.since), h("td", {}, parts.teams), parts.invitations, h("td", { class: "number" }, parts.seen), h("td", { class: "number" }, parts.answers, parts.spent));
  return Object.assign(row, { parts });
}

function drawRow({ parts }, person) {
  const [word, cognito] = STATES[person.state];
  setText(parts.email, person.email);
  setText(parts.problem, person.problem ?? "");
  parts.problem.hidden = !person.problem;
  setText(parts.state, word);
  parts.state.dataset.state = person.state;
  parts.state.title = cognito;
  run(parts.since, "since", person.since);
  keyed(parts.teams, person.teams, ({ team }) => team, () => h("li"), (item, { team, state, since }) => {
    setText(item, state === person.state ? team : `${team} (${STATES[state][0]})`);
    item.title = `${STATES[state][0]} since ${new Date(since).toLocaleString()}`;
  });
  setText(parts.invitations, person.invitations.toLocaleString());
  if (person.last_seen) run(parts.seen, "since", person.last_seen);
  else {
    delete parts.seen.dataset.since;
    setText(parts.seen, "never");
  }
  setText(parts.answers, person.answers.toLocaleString());
  setText(parts.spent, person.answers === 0 ? "" : `in ${spent(person.seconds)}`);
}

function legend() {
  const rows = Object.values(STATES).flatMap(([word, cognito]) => [h("dt", {}, capital(word)), h("dd", {}, cognito)]);
  return h("details", { class: "legend" }, h("summary", {}, "What the states mean"), h("dl", {}, rows));
}

function capital(word) {
  return word[0].toUpperCase() + word.slice(1);
}

customElements.define("people-table", PeopleTable);

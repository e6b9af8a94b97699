// Changing a team's file: checked while one types, saved only over what was opened, and nobody is taken out unasked.

import { CodeField } from "./code-field.js";
import { h, plural, setText } from "./dom.js";
import { checkTeam, leaving, loadTeam, saveTeam } from "./server.js";

class TeamEditor extends HTMLElement {
  #team = null;
  #etag = null;
  #heading = h("h2");
  #about = h("p", { class: "muted" });
  #field = CodeField.make("Team file", "team");
  #save = h("button", { type: "button", id: "team-save", class: "primary", onclick: () => this.#ask() }, "Save");
  #dialog = h("dialog", { class: "editor", "aria-label": "Edit team file" });
  #leave = h("dialog", { "aria-label": "People leave the team" });

  connectedCallback() {
    const cancel = h("button", { type: "button", onclick: () => this.#dialog.close() }, "Cancel");
    this.#dialog.append(this.#heading, this.#about, this.#field, h("div", { class: "row end" }, cancel, this.#save));
    this.append(this.#dialog, this.#leave);
    this.#field.addEventListener("edited", () => this.#check());
  }

  /** `line`: the place to begin at. */
  async open({ team, line }) {
    this.#team = team;
    setText(this.#heading, `teams/${team}.yaml`);
    setText(this.#about, "Loading…");
    this.#field.value = "";
    this.#field.say("", "");
    this.#save.disabled = true;
    this.#dialog.showModal();
    try {
      const { text, etag } = await loadTeam(team);
      this.#etag = etag;
      setText(this.#about, etag
        ? "Everyone new is invited. Whoever is taken out leaves the team; nothing else of theirs changes."
        : "The file is gone. This is what Groundcrew still knows of the team: save it to have the file back.");
      this.#field.value = text;
      this.#field.focus();
      if (line) this.#field.show(line);
      this.#field.check();
    } catch (error) {
      setText(this.#about, "");
      this.#fail(error);
    }
  }

  async #check() {
    const text = this.#field.value;
    try {
      const verdict = await checkTeam(this.#team, text);
      if (text !== this.#field.value) return;
      tell(this.#field, verdict);
      this.#save.disabled = !verdict.ok;
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error) {
    this.#field.say("bad", error.message);
    this.#save.disabled = true;
  }

  async #ask() {
    this.#save.disabled = true;
    try {
      const text = this.#field.value;
      const gone = await leaving(this.#team, text);
      if (gone.count === 0 || (await this.#confirm(gone))) await this.#store(text);
    } catch (error) {
      this.#field.say("bad", error.message);
    }
    this.#save.disabled = false;
  }

  async #store(text) {
    await saveTeam(this.#team, text, this.#etag);
    this.#dialog.close();
    this.dispatchEvent(new CustomEvent("saved", { bubbles: true, detail: `The file of ${this.#team} is saved.` }));
  }

  /** Whether these people may go. */
  #confirm({ count, first }) {
    const others = count - first.length;
    const list = h("ul", { class: "names", tabindex: "0" }, first.map((email) => h("li", {}, email)), others > 0 && h("li", { class: "muted" }, `and ${others.toLocaleString()} more`));
    const back = h("button", { type: "button", onclick: () => this.#leave.close("") }, "Back");
    const go = h("button", { type: "button", id: "team-leave", class: "primary", onclick: () => this.#leave.close("go") }, "Take out and save");
    const they = count === 1 ? "This person leaves the team; nothing else of theirs changes." : "They leave the team; nothing else of theirs changes.";
    this.#leave.replaceChildren(
      h("h2", {}, `${plural(count, "person is", "people are")} taken out of ${this.#team}`), list, h("p", {}, they),
      h("div", { class: "row end" }, back, go));
    this.#leave.returnValue = "";
    this.#leave.showModal();
    return new Promise((resolve) => this.#leave.addEventListener("close", () => resolve(this.#leave.returnValue === "go"), { once: true }));
  }
}

/** What the parser says, below a text. */
function tell(field, verdict) {
  if (!verdict.ok) return field.complain(verdict);
  if (verdict.unusable.length === 0) return field.say("good", `This team file is fine: ${plural(verdict.people, "person", "people")}.`);
  field.warn(`${plural(verdict.people, "person", "people")} can be invited. Left out:`, verdict.unusable);
}

customElements.define("team-editor", TeamEditor);

// Edits a team's file: it is saved only over the file that was opened, and people are removed only after a confirmation.

import { confirmed } from "./confirm.js";
import { h, plural } from "./dom.js";
import { FileEditor } from "./file-editor.js";
import { checkTeam, loadLeaving, loadTeam, saveTeam } from "./server.js";

class TeamEditor extends FileEditor {
  #team = null;
  #etag = null;
  #leaving = h("dialog", { "aria-label": "People leave the team" });

  connectedCallback() {
    this.build({ id: "team", title: "Edit team file", name: "Team file", saveLabel: "Save" });
    this.append(this.#leaving);
  }

  /** `line`: the line to select. */
  async open({ team, line }) {
    this.#team = team;
    await this.openFile(`teams/${team}.yaml`, async () => {
      const { text, etag } = await loadTeam(team);
      this.#etag = etag;
      const note = etag
        ? "Everyone added is invited. Everyone removed leaves the team, and keeps account and other teams."
        : "The file was deleted. This text is made from what Groundcrew knows of the team: save it to restore the file.";
      return { text, note };
    });
    if (line) this.field.selectLine(line);
  }

  checkText(text) {
    return checkTeam(this.#team, text);
  }

  showResult({ people, unusable }) {
    const invited = plural(people, "person", "people");
    if (unusable.length === 0) this.field.showMessage("good", `This team file is fine: ${invited}.`);
    else this.field.showWarnings(`${invited} can be invited. Left out:`, unusable);
  }

  /** Nothing is saved if people would leave and that is not confirmed. */
  async saveText(text) {
    const leaving = await loadLeaving(this.#team, text);
    if (leaving.count > 0 && !(await this.#confirmLeaving(leaving))) return null;
    await saveTeam(this.#team, text, this.#etag);
    return `The file of ${this.#team} is saved.`;
  }

  #confirmLeaving({ count, first }) {
    const others = count - first.length;
    const names = h("ul", { class: "names", tabindex: "0" }, first.map((email) => h("li", {}, email)), others > 0 && h("li", { class: "muted" }, `and ${others.toLocaleString()} more`));
    const text = count === 1 ? "This person leaves the team, and keeps account and other teams." : "They leave the team, and keep accounts and other teams.";
    return confirmed(this.#leaving, {
      heading: `${plural(count, "person is", "people are")} removed from ${this.#team}`,
      content: [names, h("p", {}, text)],
      id: "team-leave",
      confirmLabel: "Remove and save",
      cancelLabel: "Back",
    });
  }
}

customElements.define("team-editor", TeamEditor);

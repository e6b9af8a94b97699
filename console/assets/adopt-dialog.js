// Hands a group and a work team that others made over to the team of their name, after a confirmation.

import { confirmed } from "./confirm.js";
import { emit, h, prose } from "./dom.js";
import { adoptTeam } from "./server.js";

class AdoptDialog extends HTMLElement {
  #dialog = h("dialog", { "aria-label": "Take over a group and a work team" });

  connectedCallback() {
    this.append(this.#dialog);
  }

  async open(team) {
    const isConfirmed = await confirmed(this.#dialog, {
      heading: `Take over ${team}?`,
      content: [
        prose("p", `There is a group or a work team \`${team}\` that Groundcrew did not make. Once it belongs to \`teams/${team}.yaml\`:`),
        h("ul", {},
          h("li", {}, "the people in the group stay in it"),
          h("li", {}, "the people of the file are invited and added"),
          h("li", {}, "the work team gets the groups of the file")),
        h("p", {}, "The console cannot undo this."),
      ],
      id: "adopt-confirm",
      confirmLabel: "Take over",
    });
    if (!isConfirmed) return;
    const message = await adoptTeam(team).then(
      ({ at_once: atOnce }) => `${team} is taken over ${atOnce ? "in a few seconds" : "within 15 minutes"}.`,
      (error) => error.message,
    );
    emit(this, "saved", message);
  }
}

customElements.define("adopt-dialog", AdoptDialog);

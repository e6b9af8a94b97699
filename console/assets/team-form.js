// Makes a new team file from a form: the name, the organization, and a pasted list of addresses.

import { emit, h, plural, prose } from "./dom.js";
import { composeTeam, saveTeam } from "./server.js";

const NAME = "[A-Za-z0-9](?:[A-Za-z0-9\\-]{0,61}[A-Za-z0-9])?";

class TeamForm extends HTMLElement {
  #fields = {
    name: h("input", { id: "new-team-name", required: true, maxlength: "63", pattern: NAME, title: "Letters, digits and hyphens; begins and ends with a letter or digit", autocomplete: "off", spellcheck: "false" }),
    organization: h("input", { id: "new-team-organization", required: true, autocomplete: "organization" }),
    contact: h("input", { id: "new-team-contact", type: "email", required: true, autocomplete: "email" }),
    description: h("input", { id: "new-team-description", required: true, maxlength: "200" }),
    workers: h("textarea", { id: "new-team-workers", rows: "5", spellcheck: "false", autocapitalize: "off", placeholder: "ana@example.org\nbo@example.org" }),
    notify: h("input", { id: "new-team-notify", type: "checkbox" }),
  };
  #verdict = h("div", { class: "verdict", role: "alert" });
  #save = h("button", { class: "primary", id: "new-team-save" }, "Make the team and invite");
  #form = null;
  #dialog = h("dialog", { class: "form", "aria-label": "New team" });

  connectedCallback() {
    const { name, organization, contact, description, workers, notify } = this.#fields;
    const cancel = h("button", { type: "button", onclick: () => this.#dialog.close() }, "Cancel");
    this.#form = h("form", { method: "dialog" },
      h("h2", {}, "New team"),
      h("div", { class: "pair" },
        field("Name", name, "Used in labeling.yaml; it cannot be changed."),
        field("Description", description, "Up to 200 characters."),
        field("Organization", organization, "Named in the invitation."),
        field("Contact", contact, "An e-mail address for questions.")),
      field("People to invite", workers, "E-mail addresses, one per line or with commas. Each gets an invitation."),
      h("label", { class: "check" }, notify, h("span", {}, "Notify them by e-mail when work waits or is about to expire")),
      this.#verdict, h("div", { class: "row end" }, cancel, this.#save));
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#makeTeam();
    });
    this.#dialog.append(this.#form);
    this.append(this.#dialog);
  }

  open() {
    this.#form.reset();
    this.#verdict.replaceChildren();
    this.#dialog.showModal();
    this.#fields.name.focus();
  }

  async #makeTeam() {
    const { name, organization, contact, description, workers, notify } = this.#fields;
    this.#save.disabled = true;
    try {
      const team = name.value.trim();
      const form = { organization: organization.value, contact: contact.value, description: description.value, workers: workers.value, notify_workers: notify.checked };
      const { text, verdict } = await composeTeam(team, form);
      if (!verdict.ok) this.#showError(verdict.message, verdict.hint ? [verdict.hint] : []);
      else if (verdict.unusable.length > 0) this.#showError(`${plural(verdict.unusable.length, "address", "addresses")} cannot be invited. Correct or remove:`, verdict.unusable.map(({ message }) => message));
      else await this.#saveFile(team, text);
    } catch (error) {
      this.#showError(error.message, []);
    }
    this.#save.disabled = false;
  }

  async #saveFile(team, text) {
    await saveTeam(team, text, null);
    this.#dialog.close();
    emit(this, "saved", `The team ${team} is saved; its people are being invited.`);
  }

  #showError(message, more) {
    this.#verdict.dataset.kind = "bad";
    this.#verdict.replaceChildren(prose("span", message), h("ul", {}, more.map((text) => prose("li", text))));
    this.#verdict.scrollIntoView({ block: "nearest" });
  }
}

function field(name, input, hint) {
  const hintId = `${input.id}-hint`;
  input.setAttribute("aria-describedby", hintId);
  return h("div", { class: "field" }, h("label", { for: input.id }, name), input, h("p", { id: hintId, class: "muted" }, hint));
}

customElements.define("team-form", TeamForm);

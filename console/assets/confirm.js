// A dialog that has to be confirmed before something is done.

import { h } from "./dom.js";

/** Whether the person confirms. `id`: of the button that does. */
export function confirmed(dialog, { heading, content, id, confirmLabel, cancelLabel = "Cancel" }) {
  const cancel = h("button", { type: "button", onclick: () => dialog.close("") }, cancelLabel);
  const confirm = h("button", { type: "button", id, class: "primary", onclick: () => dialog.close("confirmed") }, confirmLabel);
  dialog.replaceChildren(h("h2", {}, heading), ...content, h("div", { class: "row end" }, cancel, confirm));
  dialog.classList.add("confirm");
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue === "confirmed"), { once: true }));
}

// A word with an explanation that opens by pointer and by keyboard.

import { h } from "./dom.js";

let count = 0;

/** A button with the word; the explanation opens above everything else on the page. */
export function withTooltip(word, text) {
  const id = `tip-${(count += 1)}`;
  const tip = h("span", { id, class: "tip-text", role: "tooltip", popover: "manual" }, text);
  const button = h("button", { type: "button", class: "tip", "aria-describedby": id }, word);
  const show = () => {
    if (!tip.matches(":popover-open")) tip.showPopover();
    const box = button.getBoundingClientRect();
    const left = Math.min(box.left, innerWidth - tip.offsetWidth - 12);
    tip.style.left = `${Math.max(12, left)}px`;
    tip.style.top = `${box.bottom + 6}px`;
  };
  const hide = () => tip.matches(":popover-open") && tip.hidePopover();
  for (const event of ["pointerenter", "focus", "click"]) button.addEventListener(event, show);
  for (const event of ["pointerleave", "blur"]) button.addEventListener(event, hide);
  button.addEventListener("keydown", ({ key }) => key === "Escape" && hide());
  addEventListener("scroll", hide, { passive: true });
  return h("span", {}, button, tip);
}

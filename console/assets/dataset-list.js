// The cards of all datasets, in the model's order; and once there are many, of those that match what is searched for.

import { TONES } from "./dataset-card.js";
import { keyed, plural, setText } from "./dom.js";

/** So many are looked through faster than a word is typed. */
const FEW = 12;

const at = (id) => document.getElementById(id);
const search = at("dataset-search");
let datasets = [];

export function drawDatasets(all) {
  datasets = all;
  draw();
}

function draw() {
  // A search under way stays, whatever goes meanwhile.
  at("dataset-filter").hidden = datasets.length <= FEW && search.value === "";
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = datasets.filter((dataset) => matches(dataset, words));
  keyed(at("dataset-cards"), shown, ({ name }) => name, () => document.createElement("dataset-card"), (card, dataset) => (card.data = dataset));
  setText(at("datasets-found"), words.length === 0 ? "" : `${shown.length.toLocaleString()} of ${plural(datasets.length, "dataset")}`);
}

function matches({ name, title, task, team, tone }, words) {
  const text = [name, title, task, team, TONES[tone]].filter(Boolean).join("\n").toLowerCase();
  return words.every((word) => text.includes(word));
}

search.addEventListener("input", draw);

// `/` leads to the search of whatever page is open, but is a letter like others where one writes.
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest?.("input, textarea, select, dialog")) return;
  const field = at("people-page").hidden ? search : at("people-search");
  if (!field.checkVisibility()) return;
  event.preventDefault();
  field.focus();
  field.select();
});

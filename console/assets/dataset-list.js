// The cards of all datasets, in the model's order; where there are many, a search shows only those that match.

import { TONES } from "./dataset-card.js";
import { byId, plural, setText, syncChildren } from "./dom.js";

/** With fewer datasets a search is of no use. */
const MIN_FOR_SEARCH = 12;

const search = byId("dataset-search");
let datasets = [];

export function drawDatasets(all) {
  datasets = all;
  draw();
}

function draw() {
  // A search in progress stays, also when datasets are removed.
  byId("dataset-filter").hidden = datasets.length <= MIN_FOR_SEARCH && search.value === "";
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = datasets.filter((dataset) => matches(dataset, words));
  syncChildren(byId("dataset-cards"), shown, ({ name }) => name, () => document.createElement("dataset-card"), (card, dataset) => (card.data = dataset));
  setText(byId("datasets-found"), words.length === 0 ? "" : `${shown.length.toLocaleString()} of ${plural(datasets.length, "dataset")}`);
}

function matches({ name, title, task, team, tone }, words) {
  const text = [name, title, task, team, TONES[tone]].filter(Boolean).join("\n").toLowerCase();
  return words.every((word) => text.includes(word));
}

search.addEventListener("input", draw);

// `/` goes to the search of the open page, except in a field where text is typed.
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest?.("input, textarea, select, dialog")) return;
  const field = byId("people-page").hidden ? search : byId("people-search");
  if (!field.checkVisibility()) return;
  event.preventDefault();
  field.focus();
  field.select();
});

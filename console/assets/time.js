// Times as people say them, by the server's clock: a browser's own may be wrong.

let ahead = 0;

/** The server said it is `now`. */
export function setClock(now) {
  ahead = Date.parse(now) - Date.now();
}

const seconds = (timestamp) => Math.round((Date.parse(timestamp) - Date.now() - ahead) / 1000);

function span(count) {
  if (count < 60) return `${count} s`;
  if (count < 3600) return `${Math.floor(count / 60)} min${count < 600 ? ` ${count % 60} s` : ""}`;
  if (count < 86400) return `${Math.floor(count / 3600)} h`;
  return `${Math.floor(count / 86400)} d`;
}

/** Time worked: seconds as people say them. */
export function spent(count) {
  if (count < 60) return `${Math.round(count)} s`;
  const minutes = Math.round(count / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function until(timestamp) {
  const left = seconds(timestamp);
  return left > 0 ? `in ${span(left)}` : "any moment";
}

function ago(timestamp) {
  const past = -seconds(timestamp);
  return past < 5 ? "just now" : `${span(past).replace(/ \d+ s$/, "")} ago`;
}

function tick(element) {
  const text = element.dataset.until ? until(element.dataset.until) : ago(element.dataset.since);
  if (element.textContent !== text) element.textContent = text;
}

/** Turns an element into a clock that runs by itself: `until` counts down, `since` up. */
export function run(element, way, timestamp) {
  element.dataset[way] = timestamp;
  element.title = new Date(timestamp).toLocaleString();
  if (element.tagName === "TIME") element.dateTime = timestamp;
  tick(element);
}

setInterval(() => document.querySelectorAll("[data-until], [data-since]").forEach(tick), 1000);

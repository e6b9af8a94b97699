// Times in words, by the server's clock: the browser's own may be wrong.

/** How far the server's clock is ahead of the browser's, in milliseconds. */
let offset = 0;

export function setServerTime(now) {
  offset = Date.parse(now) - Date.now();
}

const secondsUntil = (timestamp) => Math.round((Date.parse(timestamp) - Date.now() - offset) / 1000);

function duration(count) {
  if (count < 60) return `${count} s`;
  if (count < 3600) return `${Math.floor(count / 60)} min${count < 600 ? ` ${count % 60} s` : ""}`;
  if (count < 86400) return `${Math.floor(count / 3600)} h`;
  return `${Math.floor(count / 86400)} d`;
}

/** Seconds of work in words. */
export function workTime(count) {
  if (count < 60) return `${Math.round(count)} s`;
  const minutes = Math.round(count / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function until(timestamp) {
  const left = secondsUntil(timestamp);
  return left > 0 ? `in ${duration(left)}` : "any moment";
}

function ago(timestamp) {
  const past = -secondsUntil(timestamp);
  return past < 5 ? "just now" : `${duration(past).replace(/ \d+ s$/, "")} ago`;
}

function update(element) {
  const text = element.dataset.until ? until(element.dataset.until) : ago(element.dataset.since);
  if (element.textContent !== text) element.textContent = text;
}

/** Shows a time in an element and keeps it current: `until` counts down, `since` counts up. */
export function showTime(element, kind, timestamp) {
  element.dataset[kind] = timestamp;
  element.title = new Date(timestamp).toLocaleString();
  if (element.tagName === "TIME") element.dateTime = timestamp;
  update(element);
}

setInterval(() => document.querySelectorAll("[data-until], [data-since]").forEach(update), 1000);

// Everything the page asks of the console's server.

const CHANGE = { "x-groundcrew": "1" };

async function ask(path, options = {}) {
  let answer;
  try {
    answer = await fetch(`/console/api/${path}`, options);
  } catch {
    throw new Error("The console's server does not answer. Is Groundcrew still running?");
  }
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(body.error ?? `The server answered ${answer.status}.`);
  return body;
}

const file = (dataset, path) =>
  `upload/${encodeURIComponent(dataset)}/${path.split("/").map(encodeURIComponent).join("/")}`;

export const loadSpec = (dataset) => ask(`spec/${encodeURIComponent(dataset)}`);

export const checkSpec = (text, signal) =>
  ask("check-spec", { method: "POST", headers: CHANGE, body: text, signal });

export const saveSpec = (dataset, text) =>
  ask(file(dataset, "labeling.yaml"), { method: "PUT", headers: CHANGE, body: text });

const team = (name, what = "") => `team/${encodeURIComponent(name)}${what}`;

/** With the ETag that a save has to name; `null` where the file is gone. */
export const loadTeam = (name) => ask(team(name));

export const checkTeam = (name, text) => ask(team(name, "/check"), { method: "POST", headers: CHANGE, body: text });

/** Who is in the team now, and not in the text. */
export const leaving = (name, text) => ask(team(name, "/leaving"), { method: "POST", headers: CHANGE, body: text });

export const composeTeam = (name, form) =>
  ask(team(name, "/compose"), { method: "POST", headers: { ...CHANGE, "content-type": "application/json" }, body: JSON.stringify(form) });

/** Only over the file of this ETag, or, with none, only where there is no file. */
export const saveTeam = (name, text, etag) =>
  ask(team(name), { method: "PUT", headers: { ...CHANGE, ...(etag ? { "if-match": etag } : { "if-none-match": "*" }) }, body: text });

/** A page of the people wanted: `search`, `team`, `state`, `sort`, `from`. */
export const loadPeople = (wanted) => ask(`people?${new URLSearchParams(wanted)}`);

export const redrive = (queue) =>
  ask(`deadletters/${encodeURIComponent(queue)}/redrive`, { method: "POST", headers: CHANGE });

/** Ends this browser's session; the page is locked from then on. */
export async function signOut() {
  await fetch("/console/api/sign-out", { method: "POST", headers: CHANGE });
  location.assign("/console");
}

export const objectUrl = (key) => `/console/api/object?key=${encodeURIComponent(key)}`;

/** Sends one file. XMLHttpRequest, because fetch does not tell how much has been sent. */
export function sendFile(dataset, path, content, onSent) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PUT", `/console/api/${file(dataset, path)}`);
    request.setRequestHeader("x-groundcrew", "1");
    request.upload.onprogress = (event) => onSent(event.loaded);
    request.onload = () => (request.status === 200 ? resolve() : reject(refusal(request)));
    request.onerror = () => reject(Object.assign(new Error("The connection broke."), { again: true }));
    request.send(content);
  });
}

function refusal(request) {
  let said;
  try {
    said = JSON.parse(request.responseText).error;
  } catch {
    said = null;
  }
  const error = new Error(said ?? `The server answered ${request.status}.`);
  return Object.assign(error, { again: request.status >= 500 });
}

/** Calls `onView` now and whenever something changed, `onState` with `live`, `lost` or `locked`. */
export function follow(onView, onState) {
  let source;
  const connect = () => {
    source = new EventSource("/console/api/events");
    source.onopen = () => onState("live");
    source.addEventListener("model", (event) => onView(JSON.parse(event.data)));
    source.onerror = async () => {
      onState("lost");
      if (source.readyState !== EventSource.CLOSED) return;
      // A browser gives up when the answer is no stream: ask why, then try again.
      const locked = await fetch("/console/api/model").then((answer) => answer.status === 401, () => false);
      if (locked) onState("locked");
      else setTimeout(connect, 2000);
    };
  };
  connect();
  addEventListener("pagehide", () => source.close());
}

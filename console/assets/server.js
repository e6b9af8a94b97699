// All requests of the page to the console's server.

const CHANGE = { "x-groundcrew": "1" };
const encode = encodeURIComponent;

async function request(path, options = {}) {
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

const send = (method, path, body, headers = {}) => request(path, { method, headers: { ...CHANGE, ...headers }, body });

const uploadPath = (dataset, path) => `upload/${encode(dataset)}/${path.split("/").map(encode).join("/")}`;

export const loadSpec = (dataset) => request(`spec/${encode(dataset)}`);

export const checkSpec = (text) => send("POST", "check-spec", text);

export const saveSpec = (dataset, text) => send("PUT", uploadPath(dataset, "labeling.yaml"), text);

const teamPath = (name, action = "") => `team/${encode(name)}${action}`;

/** With the ETag that a save has to name; `null` where the file was deleted. */
export const loadTeam = (name) => request(teamPath(name));

export const checkTeam = (name, text) => send("POST", teamPath(name, "/check"), text);

/** The people who are in the team now, and not in the text. */
export const loadLeaving = (name, text) => send("POST", teamPath(name, "/leaving"), text);

export const composeTeam = (name, form) =>
  send("POST", teamPath(name, "/compose"), JSON.stringify(form), { "content-type": "application/json" });

/** Only over the file with this ETag, or, without one, only where there is no file. */
export const saveTeam = (name, text, etag) =>
  send("PUT", teamPath(name), text, etag ? { "if-match": etag } : { "if-none-match": "*" });

/** Hands the group and the work team of this name, which others made, over to the team. */
export const adoptTeam = (name) => send("POST", teamPath(name, "/adopt"));

/** One page of the people that match: `search`, `team`, `state`, `sort`, `from`. */
export const loadPeople = (query) => request(`people?${new URLSearchParams(query)}`);

export const redrive = (queue) => send("POST", `deadletters/${encode(queue)}/redrive`);

/** Ends this browser's session; after that the page is locked. */
export async function signOut() {
  await fetch("/console/api/sign-out", { method: "POST", headers: CHANGE });
  location.assign("/console");
}

export const objectUrl = (key) => `/console/api/object?key=${encode(key)}`;

/** Sends one file. With XMLHttpRequest, because fetch does not report how much has been sent. */
export function sendFile(dataset, path, content, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PUT", `/console/api/${uploadPath(dataset, path)}`);
    request.setRequestHeader("x-groundcrew", "1");
    request.upload.onprogress = (event) => onProgress(event.loaded);
    request.onload = () => (request.status === 200 ? resolve() : reject(uploadError(request)));
    request.onerror = () => reject(Object.assign(new Error("The connection was interrupted."), { canRetry: true }));
    request.send(content);
  });
}

function uploadError({ status, responseText }) {
  let message;
  try {
    message = JSON.parse(responseText).error;
  } catch {
    message = null;
  }
  const error = new Error(message ?? `The server answered ${status}.`);
  return Object.assign(error, { canRetry: status >= 500 });
}

/** Calls `onModel` now and at every change, and `onState` with `live`, `lost` or `locked`. */
export function follow(onModel, onState) {
  let source;
  const connect = () => {
    source = new EventSource("/console/api/events");
    source.onopen = () => onState("live");
    source.addEventListener("model", (event) => onModel(JSON.parse(event.data)));
    source.onerror = async () => {
      onState("lost");
      if (source.readyState !== EventSource.CLOSED) return;
      // A browser does not try again when the answer is no event stream: find out why, then connect again.
      const isLocked = await fetch("/console/api/model").then((answer) => answer.status === 401, () => false);
      if (isLocked) onState("locked");
      else setTimeout(connect, 2000);
    };
  };
  connect();
  addEventListener("pagehide", () => source.close());
}

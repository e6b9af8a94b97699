// Calls to the portal's API: JSON in, JSON out, and one kind of error that says what can be done about it.

export class CallError extends Error {
  /** `code` is the API's; `network` when there was no answer at all. */
  constructor(code, message) {
    super(message);
    this.code = code;
  }

  /** Trying the same again may help. */
  get passing() {
    return ['network', 'unavailable'].includes(this.code);
  }
}

const ask = async (path, options) => {
  let reply;
  try {
    reply = await fetch(path, { cache: 'no-store', redirect: 'error', ...options });
  } catch {
    throw new CallError('network', 'No connection to the portal.');
  }
  const body = await reply.json().catch(() => null);
  if (reply.ok && body) return body;
  const code = body?.error ?? (reply.status >= 500 || reply.ok ? 'unavailable' : 'refused');
  throw new CallError(code, body?.message ?? `The portal answered ${reply.status}.`);
};

export const get = (path) => ask(path, {});

// The header of our own is what tells the portal that no other site sent this.
export const post = (path, body = {}) => ask(path, {
  method: 'POST',
  headers: { 'content-type': 'application/json', 'x-groundcrew': '1' },
  body: JSON.stringify(body),
});

export const encoded = (part) => encodeURIComponent(part);

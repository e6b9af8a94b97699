// Calls to the portal's API: JSON in, JSON out, and one kind of error.

export class CallError extends Error {
  /** `code` is the API's; `network` when there was no answer at all. */
  constructor(code, message) {
    super(message);
    this.code = code;
  }

  /** A retry may succeed. */
  get isTemporary() {
    return ['network', 'unavailable'].includes(this.code);
  }
}

const request = async (path, options) => {
  let reply;
  try {
    reply = await fetch(path, { cache: 'no-store', redirect: 'error', ...options });
  } catch {
    throw new CallError('network', 'No connection to the portal.');
  }
  const body = await reply.json().catch(() => null);
  if (reply.ok && body) return body;
  const code = body?.error ?? (reply.status >= 500 || reply.ok ? 'unavailable' : 'refused');
  throw new CallError(code, body?.message ?? `The portal replied with status ${reply.status}.`);
};

export const get = (path) => request(path, {});

// The portal takes changes only with this header: no other site can send it.
export const post = (path, body = {}) => request(path, {
  method: 'POST',
  headers: { 'content-type': 'application/json', 'x-groundcrew': '1' },
  body: JSON.stringify(body),
});

export const encoded = (part) => encodeURIComponent(part);

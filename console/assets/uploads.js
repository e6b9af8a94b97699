// Uploads in progress: four at a time, retried when the connection is interrupted, shown until they are closed.

import { bytes, byId, h, plural, prose, setText, syncChildren } from "./dom.js";
import { sendFile } from "./server.js";

const MAX_RUNNING = 4;
const MAX_ATTEMPTS = 4;
const FAILURES_SHOWN = 50;

/** The spec comes after all other files and `_READY` after it, so that no batch is cut before all files are there. */
const order = ({ path }) => (path === "_READY" ? 2 : path === "labeling.yaml" ? 1 : 0);
const pause = (attempt) => new Promise((resolve) => setTimeout(resolve, 500 * 2 ** attempt));

class UploadDock extends HTMLElement {
  #batches = [];
  #waiting = [];
  #running = 0;
  #isDrawScheduled = false;

  connectedCallback() {
    this.setAttribute("role", "region");
    this.setAttribute("aria-label", "Uploads");
    this.hidden = true;
    addEventListener("beforeunload", (event) => {
      if (this.#running > 0) event.preventDefault();
    });
  }

  /** Starts to send `[{path, file}]` to a dataset. */
  add(dataset, files) {
    const sorted = files.toSorted((a, b) => order(a) - order(b));
    const batch = {
      dataset,
      total: sorted.reduce((sum, { file }) => sum + file.size, 0),
      files: sorted.map(({ path, file }) => ({ path, file, sent: 0, state: "waiting" })),
      done: 0,
      doneBytes: 0,
      failed: [],
      active: new Set(),
      finished: Promise.resolve(),
    };
    this.#batches.unshift(batch);
    this.#enqueue(batch, batch.files);
  }

  #enqueue(batch, files) {
    // The files that have to come last wait for all others of the batch.
    const first = files.filter((file) => order(file) === 0);
    const last = files.filter((file) => order(file) > 0);
    this.#waiting.push(...first.map((file) => [batch, file]));
    batch.last = last;
    this.#startNext();
    this.#startLast(batch);
  }

  #startNext() {
    while (this.#running < MAX_RUNNING && this.#waiting.length > 0) {
      const [batch, file] = this.#waiting.shift();
      this.#running += 1;
      this.#send(batch, file).finally(() => {
        this.#running -= 1;
        this.#startLast(batch);
        this.#startNext();
      });
    }
    this.#draw();
  }

  /** When all other files of the batch are sent, sends the last ones, one after the other. */
  #startLast(batch) {
    const isOpen = batch.active.size > 0 || this.#waiting.some(([other]) => other === batch);
    if (isOpen || !batch.last?.length) return;
    this.#waiting.push([batch, batch.last.shift()]);
    this.#startNext();
  }

  async #send(batch, file) {
    batch.active.add(file);
    file.state = "sending";
    for (let attempt = 0; ; attempt += 1) {
      try {
        await sendFile(batch.dataset, file.path, file.file, (sent) => {
          file.sent = sent;
          this.#draw();
        });
        batch.done += 1;
        batch.doneBytes += file.file.size;
        break;
      } catch (error) {
        file.sent = 0;
        if (error.canRetry && attempt + 1 < MAX_ATTEMPTS) {
          await pause(attempt);
          continue;
        }
        file.error = error.message;
        batch.failed.push(file);
        break;
      }
    }
    batch.active.delete(file);
    this.#draw();
  }

  #retry(batch) {
    this.#enqueue(batch, batch.failed.splice(0));
  }

  /** At most once in a frame, however many files make progress. */
  #draw() {
    if (this.#isDrawScheduled) return;
    this.#isDrawScheduled = true;
    requestAnimationFrame(() => {
      this.#isDrawScheduled = false;
      this.hidden = this.#batches.length === 0;
      syncChildren(this, this.#batches, (batch) => batch, (batch) => this.#panel(batch), updatePanel);
    });
  }

  #panel(batch) {
    const parts = {
      title: h("strong"),
      state: h("p", { role: "status" }),
      bar: h("progress", { max: "1", "aria-label": `Upload to ${batch.dataset}` }),
      files: h("ul", { class: "upload-files" }),
      failures: h("ul", { class: "upload-failures" }),
      retry: h("button", { type: "button", class: "small", onclick: () => this.#retry(batch) }, "Try again"),
      close: h("button", { type: "button", class: "quiet small", onclick: () => this.#close(batch) }, "Close"),
    };
    parts.title.textContent = batch.dataset;
    const head = h("div", { class: "upload-head" }, parts.title, parts.retry, parts.close);
    const panel = h("section", { class: "upload" }, head, parts.state, parts.bar, parts.files, parts.failures);
    return Object.assign(panel, { parts });
  }

  #close(batch) {
    this.#batches = this.#batches.filter((other) => other !== batch);
    this.#draw();
    byId("choose-files")?.focus();
  }
}

function updatePanel(panel, batch) {
  const { parts } = panel;
  const open = batch.files.length - batch.done - batch.failed.length;
  const sent = batch.doneBytes + [...batch.active].reduce((sum, file) => sum + file.sent, 0);
  // Empty files have no bytes to show progress by.
  parts.bar.value = (sent + batch.done) / (batch.total + batch.files.length || 1);
  parts.bar.hidden = open === 0;
  parts.close.hidden = open > 0;
  parts.retry.hidden = open > 0 || batch.failed.length === 0;
  panel.dataset.state = open > 0 ? "open" : batch.failed.length > 0 ? "failed" : "done";
  setText(parts.state, progressText(batch, open, sent));
  syncChildren(parts.files, [...batch.active], (file) => file, fileRow, (row, file) => {
    row.bar.value = file.file.size === 0 ? 1 : file.sent / file.file.size;
  });
  syncChildren(parts.failures, batch.failed.slice(0, FAILURES_SHOWN), (file) => file, failureRow);
}

function progressText(batch, open, sent) {
  const all = batch.files.length;
  if (open > 0) {
    return `${batch.done.toLocaleString()} of ${plural(all, "file")} sent, ${bytes(sent)} of ${bytes(batch.total)}`;
  }
  if (batch.failed.length === 0) return `${plural(all, "file")} uploaded (${bytes(batch.total)}).`;
  return `${batch.done.toLocaleString()} of ${plural(all, "file")} uploaded. Not uploaded: ${batch.failed.length.toLocaleString()}.`;
}

function fileRow(file) {
  const bar = h("progress", { max: "1", "aria-label": file.path });
  const row = h("li", {}, h("span", { class: "path", title: file.path }, file.path), bar);
  return Object.assign(row, { bar });
}

function failureRow(file) {
  return h("li", {}, h("span", { class: "path", title: file.path }, file.path), prose("span", file.error));
}

customElements.define("upload-dock", UploadDock);

// The labeling view: takes a task, shows it in a sandboxed frame, submits the answer, takes the next task.
import { CallError, encoded, get, post } from './call.js';
import { button, byId, formatNumber, link, make, messageBox, signInPath } from './page.js';

const job = decodeURIComponent(location.pathname.split('/')[2]);
const stage = byId('stage');
const URGENT_SECONDS = 60;

let task = null;        // the current task: the API's reply, and the moment its time ends
let frame = null;       // the frame that shows it
let unsaved = null;     // an answer that is not stored yet
let unconfirmed = null; // an answer that the task sent without a click or key of the worker
let retryTimer = null;  // the timer of the next attempt to store it
let showsInstructions = null; // whether the worker wants to see the instructions, once that is known
let taskNumber = 0;     // rises with every task, so that late replies for an older task are recognized

// ---- Around the task

/** For screen readers. */
const announce = (text) => (byId('announcement').textContent = text);

const showProblem = (text) => {
  byId('problem').hidden = !text;
  byId('problem-text').textContent = text ?? '';
};

/** Replaces the task by a message. */
const showMessage = (...parts) => {
  task = null;
  frame = null;
  unsaved = null;
  unconfirmed = null;
  showProblem(null);
  byId('tools').hidden = true;
  byId('clock').hidden = true;
  stage.replaceChildren(messageBox(...parts));
  stage.querySelector('h2').focus();
};

const clockFace = (seconds) => {
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (value) => String(value).padStart(2, '0');
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
};

const tick = () => {
  if (!task) return;
  const left = Math.max(0, Math.ceil((task.ends - performance.now()) / 1000));
  byId('left').textContent = clockFace(left);
  const isUrgent = left <= URGENT_SECONDS;
  if (isUrgent && byId('clock').dataset.urgent !== 'true') announce(`${left} seconds left for this task.`);
  byId('clock').dataset.urgent = String(isUrgent);
  if (left === 0 && !unsaved) showExpired();
};

const refreshProgress = async () => {
  try {
    const found = (await get('/api/jobs')).jobs.find((other) => other.name === job);
    if (!found) return;
    byId('progress').hidden = false;
    byId('meter').max = Math.max(found.total, 1);
    byId('meter').value = found.done;
    const mine = found.done_by_you > 0 ? ` · ${formatNumber(found.done_by_you)} by you` : '';
    byId('count').textContent = `${formatNumber(found.done)} of ${formatNumber(found.total)} done${mine}`;
  } catch {
    // The bar is not essential. The next answer refreshes it.
  }
};

// ---- Messages instead of a task

const showExpired = () => showMessage('The time for this task is over', 'Another worker may get the item now. Your other answers are saved.', button('Next task', takeNext), link('All jobs', '/', 'gc-secondary'));

const showJobOver = () => showMessage('This job has ended', 'It takes no more answers. Thank you for your work!', link('All jobs', '/'));

const showAllDone = async () => {
  showMessage('All done', 'Nothing waits for you in this job. Thank you!', link('All jobs', '/'));
  stage.firstElementChild.classList.add('done');
  refreshProgress();
  watchForMore(taskNumber, 0);
};

/** Items come back when other workers decline them or let them expire. Then a button to continue appears. */
const watchForMore = (number, wait = 5000) => setTimeout(async () => {
  if (number !== taskNumber) return;
  const jobs = document.hidden ? [] : (await get('/api/jobs').catch(() => ({ jobs: [] }))).jobs;
  const more = jobs.find((other) => other.name === job && other.available > 0) ?? jobs.find((other) => other.available > 0);
  const row = stage.querySelector('.gc-row');
  if (number !== taskNumber || !row) return;
  if (more && !row.querySelector('.more')) {
    const action = more.name === job ? button('Continue', takeNext) : link(`Next job: ${more.title}`, `/work/${encoded(more.name)}`);
    action.classList.add('more');
    row.prepend(action);
    row.lastElementChild.className = 'gc-secondary';
    announce('There is more to label.');
  }
  watchForMore(number);
}, wait);

const showSignedOut = () => {
  if (!unsaved) return showMessage('You are signed out', 'Sign in again to continue. Your task waits until its time is over.', link('Sign in', signInPath(location.pathname)));
  showProblem('You are signed out, and your answer is not saved yet. Sign in to the portal in another tab, then:');
};

const showError = (error) => {
  if (error.code === 'signed-out') return showSignedOut();
  if (error.code === 'not-held') return showExpired();
  if (error.code === 'job-over') return showJobOver();
  if (error.code === 'no-such-job') return showMessage('No such job', 'The job has ended, or it is not for your team.', link('All jobs', '/'));
  showMessage('That did not work', error.message, button('Try again', takeNext), link('All jobs', '/', 'gc-secondary'));
};

// ---- Taking a task

async function takeNext() {
  const number = ++taskNumber;
  if (!frame) stage.replaceChildren(make('div', { class: 'message' }, make('span', { class: 'gc-spinner' }), make('p', {}, 'Taking the next task…')));
  try {
    const next = (await post(`/api/jobs/${encoded(job)}/next`)).task;
    if (number !== taskNumber) return;
    if (next) showTask(next);
    else await showAllDone();
  } catch (error) {
    if (number === taskNumber) showError(error);
  }
}

function showTask(next) {
  unconfirmed = null;
  task = { ...next, ends: performance.now() + next.seconds_left * 1000 };
  document.title = `${next.title} – Groundcrew`;
  byId('title').textContent = next.title;
  byId('tools').hidden = false;
  byId('clock').hidden = false;
  byId('clock').dataset.urgent = 'false';
  byId('instructions').hidden = true;
  setBusy(false);
  tick();
  refreshProgress();
  const old = [...stage.children];
  frame = make('iframe', { sandbox: 'allow-scripts allow-forms', title: 'Task', src: next.frame, class: 'loading' });
  frame.removeOld = () => old.forEach((element) => element.remove());
  frame.addEventListener('load', (event) => reveal(event.target));
  stage.append(frame);
}

/** Shows the loaded task and removes the old one, which stayed until now so that nothing flickers. */
function reveal(loaded) {
  if (loaded !== frame) return;
  loaded.classList.remove('loading');
  loaded.removeOld();
  if (!document.querySelector('dialog[open]')) loaded.focus();
}

const setBusy = (isBusy) => {
  for (const id of ['decline', 'stop']) byId(id).disabled = isBusy;
};

// ---- Submitting

/** A template is a program that is not trusted: it submits nothing without a click or key of the worker. */
function submitIfTouched(answer) {
  if (navigator.userActivation?.isActive ?? true) return submit(answer);
  unconfirmed = answer;
  showProblem('This task wants to submit an answer by itself. Check it first. To submit it:');
}

async function submit(answer) {
  if (!task || unsaved) return;
  unconfirmed = null;
  unsaved = { token: task.token, answer, attempts: 0 };
  setBusy(true);
  await store();
}

async function store() {
  clearTimeout(retryTimer);
  if (!unsaved) return;
  const { token, answer } = unsaved;
  try {
    await post(`/api/tasks/${encoded(token)}/answer`, { answer });
    unsaved = null;
    showProblem(null);
    announce('Saved.');
    await takeNext();
  } catch (error) {
    handleStoreError(error);
  }
}

function handleStoreError(error) {
  if (error instanceof CallError && error.isTemporary) {
    unsaved.attempts += 1;
    const wait = Math.min(15, 2 ** (unsaved.attempts - 1));
    showProblem(`Your answer is not saved yet: ${error.message} It will be sent again in ${wait} s.`);
    retryTimer = setTimeout(store, wait * 1000);
    return;
  }
  if (error.code === 'signed-out') return showSignedOut();
  unsaved = null;
  setBusy(false);
  showProblem(null);
  if (['bad-answer', 'not-json', 'refused'].includes(error.code)) frame?.contentWindow.postMessage({ groundcrew: 'refused', message: error.message }, '*');
  else showError(error);
}

// ---- Declining and releasing

async function giveBack(call, then) {
  if (!task || unsaved) return;
  setBusy(true);
  try {
    await post(`/api/tasks/${encoded(task.token)}/${call}`);
  } catch (error) {
    // A task that the worker does not hold any more need not be given back.
    if (!['not-held', 'job-over'].includes(error.code)) {
      setBusy(false);
      return showProblem(`That did not work: ${error.message}`);
    }
  }
  showProblem(null);
  then();
}

const confirmDecline = () => task && !byId('confirm').open && byId('confirm').showModal();

// ---- Wiring

byId('decline').addEventListener('click', confirmDecline);
byId('confirm').addEventListener('close', () => {
  if (byId('confirm').returnValue === 'decline') giveBack('decline', takeNext);
  else frame?.focus();
  byId('confirm').returnValue = '';
});
byId('stop').addEventListener('click', () => giveBack('release', () => location.assign('/')));
byId('retry').addEventListener('click', () => {
  showProblem(null);
  if (unsaved) store();
  else if (unconfirmed) submit(unconfirmed);
});
byId('instructions').addEventListener('click', () => {
  frame?.contentWindow.postMessage({ groundcrew: 'instructions' }, '*');
  frame?.focus();
});

// A sandboxed frame has no origin to check. The message must come from this very frame.
window.addEventListener('message', (event) => {
  if (!frame || event.source !== frame.contentWindow) return;
  const { groundcrew: kind, answer, instructions, code, open } = event.data ?? {};
  if (kind === 'submit' && typeof answer === 'object') submitIfTouched(answer);
  if (kind === 'decline') confirmDecline();
  if (kind === 'instructions') {
    showsInstructions = Boolean(open);
    byId('instructions').setAttribute('aria-pressed', String(showsInstructions));
  }
  if (kind === 'ready') {
    if (code) return showError(new CallError(code, 'The task could not be shown.'));
    byId('instructions').hidden = !instructions;
    if (showsInstructions !== null) frame.contentWindow.postMessage({ groundcrew: 'instructions', open: showsInstructions }, '*');
    reveal(frame);
  }
});

// Keys pressed while the header has the focus are meant for the task too.
document.addEventListener('keydown', (event) => {
  const isControl = event.target.closest('button, a, input, dialog');
  if (isControl || event.ctrlKey || event.metaKey || event.altKey || !frame) return;
  frame.focus();
  frame.contentWindow.postMessage({ groundcrew: 'key', key: event.key }, '*');
});

window.addEventListener('beforeunload', (event) => unsaved && event.preventDefault());
setInterval(tick, 500);
takeNext();

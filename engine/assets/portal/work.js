// The labeling view: takes a task, shows it in a sandboxed frame, hands the answer in, takes the next.
import { CallError, encoded, get, post } from './call.js';
import { button, byId, link, make, number, signInAt, state } from './page.js';

const job = decodeURIComponent(location.pathname.split('/')[2]);
const stage = byId('stage');
const HURRY = 60;

let task = null;        // the task in hand: what the API gave, and the moment its time ends
let frame = null;       // the frame that shows it
let unsaved = null;     // an answer that is not stored yet
let offered = null;     // an answer the task sent without anybody having touched it
let retry = null;       // the timer of the next attempt to store it
let shown = null;       // whether the worker wants to see the instructions, once that is known
let rounds = 0;         // rises with every task, so that what belongs to an old one is known by its number

// ---- What stands around the task

const say = (text) => (byId('said').textContent = text);

const trouble = (text) => {
  byId('trouble').hidden = !text;
  byId('trouble-text').textContent = text ?? '';
};

const screen = (...parts) => {
  task = null;
  frame = null;
  unsaved = null;
  offered = null;
  trouble(null);
  byId('tools').hidden = true;
  byId('clock').hidden = true;
  stage.replaceChildren(state(...parts));
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
  const hurried = left <= HURRY;
  if (hurried && byId('clock').dataset.hurry !== 'true') say(`${left} seconds left for this task.`);
  byId('clock').dataset.hurry = String(hurried);
  if (left === 0 && !unsaved) expired();
};

const progress = async () => {
  try {
    const found = (await get('/api/jobs')).jobs.find((other) => other.name === job);
    if (!found) return;
    byId('progress').hidden = false;
    byId('meter').max = Math.max(found.total, 1);
    byId('meter').value = found.done;
    const mine = found.done_by_you > 0 ? ` · ${number(found.done_by_you)} by you` : '';
    byId('count').textContent = `${number(found.done)} of ${number(found.total)} done${mine}`;
  } catch {
    // The bar is a courtesy; the next answer brings it up to date.
  }
};

// ---- Screens without a task

const ways = () => [button('Next task', next), link('All jobs', '/', 'gc-secondary')];

const expired = () => screen('Your time ran out', 'The item went back and somebody else may take it. Nothing else is lost.', ...ways());

const over = () => screen('This job is over', 'Thank you for your work. Nothing more can be handed in.', link('All jobs', '/'));

const finished = async () => {
  screen('All done', 'Nothing waits for you in this job. Thank you!', link('All jobs', '/'));
  stage.firstElementChild.classList.add('done');
  progress();
  watchForMore(rounds, 0);
};

/** Items come back when others decline them or run out of time; then going on is offered, not forced. */
const watchForMore = (round, wait = 5000) => setTimeout(async () => {
  if (round !== rounds) return;
  const jobs = document.hidden ? [] : (await get('/api/jobs').catch(() => ({ jobs: [] }))).jobs;
  const more = jobs.find((other) => other.name === job && other.available > 0) ?? jobs.find((other) => other.available > 0);
  const row = stage.querySelector('.gc-row');
  if (round !== rounds || !row) return;
  if (more && !row.querySelector('.more')) {
    const way = more.name === job ? button('Continue', next) : link(`Next job: ${more.title}`, `/work/${encoded(more.name)}`);
    way.classList.add('more');
    row.prepend(way);
    row.lastElementChild.className = 'gc-secondary';
    say('There is more to label.');
  }
  watchForMore(round);
}, wait);

const signedOut = () => {
  if (!unsaved) return screen('You are signed out', 'Sign in again to go on; your task waits until its time is over.', link('Sign in', signInAt(location.pathname)));
  trouble('You are signed out, and your answer is not saved yet. Sign in at the portal in another tab, then');
};

const failed = (error) => {
  if (error.code === 'signed-out') return signedOut();
  if (error.code === 'not-held') return expired();
  if (error.code === 'job-over') return over();
  if (error.code === 'no-such-job') return screen('No such job', 'It may be over, or it is not for your team.', link('All jobs', '/'));
  screen('That did not work', error.message, button('Try again', next), link('All jobs', '/', 'gc-secondary'));
};

// ---- Taking a task

async function next() {
  const round = ++rounds;
  if (!frame) stage.replaceChildren(make('div', { class: 'state' }, make('span', { class: 'gc-spinner' }), make('p', {}, 'Taking the next task…')));
  try {
    const taken = (await post(`/api/jobs/${encoded(job)}/next`)).task;
    if (round !== rounds) return;
    if (taken) show(taken);
    else await finished();
  } catch (error) {
    if (round === rounds) failed(error);
  }
}

function show(taken) {
  offered = null;
  task = { ...taken, ends: performance.now() + taken.seconds_left * 1000 };
  document.title = `${taken.title} – Groundcrew`;
  byId('title').textContent = taken.title;
  byId('tools').hidden = false;
  byId('clock').hidden = false;
  byId('clock').dataset.hurry = 'false';
  byId('instructions').hidden = true;
  busy(false);
  tick();
  progress();
  const old = [...stage.children];
  frame = make('iframe', { sandbox: 'allow-scripts allow-forms', title: 'Task', src: taken.frame, class: 'coming' });
  frame.gone = () => old.forEach((element) => element.remove());
  frame.addEventListener('load', (event) => settle(event.target));
  stage.append(frame);
}

/** The new task is there: it takes the place of the old one, which stayed until now so that nothing flickers. */
function settle(arrived) {
  if (arrived !== frame) return;
  arrived.classList.remove('coming');
  arrived.gone();
  if (!document.querySelector('dialog[open]')) arrived.focus();
}

const busy = (on) => {
  for (const id of ['decline', 'stop']) byId(id).disabled = on;
};

// ---- Handing in

/** A template is somebody's program: without a click or a key of the worker's it hands nothing in. */
function handIn(answer) {
  if (navigator.userActivation?.isActive ?? true) return submit(answer);
  offered = answer;
  trouble('This task wants to hand in an answer by itself. Look at it first. To hand it in all the same:');
}

async function submit(answer) {
  if (!task || unsaved) return;
  offered = null;
  unsaved = { token: task.token, answer, attempts: 0 };
  busy(true);
  await store();
}

async function store() {
  clearTimeout(retry);
  if (!unsaved) return;
  const { token, answer } = unsaved;
  try {
    await post(`/api/tasks/${encoded(token)}/answer`, { answer });
    unsaved = null;
    trouble(null);
    say('Saved.');
    await next();
  } catch (error) {
    notStored(error);
  }
}

function notStored(error) {
  if (error instanceof CallError && error.passing) {
    unsaved.attempts += 1;
    const wait = Math.min(15, 2 ** (unsaved.attempts - 1));
    trouble(`Your answer is not saved yet: ${error.message} It is kept here and sent again in ${wait} s.`);
    retry = setTimeout(store, wait * 1000);
    return;
  }
  if (error.code === 'signed-out') return signedOut();
  unsaved = null;
  busy(false);
  trouble(null);
  if (['bad-answer', 'not-json', 'refused'].includes(error.code)) frame?.contentWindow.postMessage({ groundcrew: 'refused', message: error.message }, '*');
  else failed(error);
}

// ---- Giving back

async function giveBack(how, then) {
  if (!task || unsaved) return;
  busy(true);
  try {
    await post(`/api/tasks/${encoded(task.token)}/${how}`);
  } catch (error) {
    // What is no longer ours needs no giving back.
    if (!['not-held', 'job-over'].includes(error.code)) {
      busy(false);
      return trouble(`That did not work: ${error.message}`);
    }
  }
  trouble(null);
  then();
}

const askToDecline = () => task && !byId('ask').open && byId('ask').showModal();

// ---- Wiring

byId('decline').addEventListener('click', askToDecline);
byId('ask').addEventListener('close', () => {
  if (byId('ask').returnValue === 'decline') giveBack('decline', next);
  else frame?.focus();
  byId('ask').returnValue = '';
});
byId('stop').addEventListener('click', () => giveBack('release', () => location.assign('/')));
byId('again').addEventListener('click', () => {
  trouble(null);
  if (unsaved) store();
  else if (offered) submit(offered);
});
byId('instructions').addEventListener('click', () => {
  frame?.contentWindow.postMessage({ groundcrew: 'instructions' }, '*');
  frame?.focus();
});

// A sandboxed frame has no origin to check; that the message comes from this very frame is what counts.
window.addEventListener('message', (event) => {
  if (!frame || event.source !== frame.contentWindow) return;
  const { groundcrew: kind, answer, instructions, code, open } = event.data ?? {};
  if (kind === 'submit' && typeof answer === 'object') handIn(answer);
  if (kind === 'decline') askToDecline();
  if (kind === 'instructions') byId('instructions').setAttribute('aria-pressed', String(shown = Boolean(open)));
  if (kind === 'ready') {
    if (code) return failed(new CallError(code, 'The task could not be shown.'));
    byId('instructions').hidden = !instructions;
    if (shown !== null) frame.contentWindow.postMessage({ groundcrew: 'instructions', open: shown }, '*');
    settle(frame);
  }
});

// Keys pressed while the header has the focus are meant for the task all the same.
document.addEventListener('keydown', (event) => {
  const own = event.target.closest('button, a, input, dialog');
  if (own || event.ctrlKey || event.metaKey || event.altKey || !frame) return;
  frame.focus();
  frame.contentWindow.postMessage({ groundcrew: 'key', key: event.key }, '*');
});

window.addEventListener('beforeunload', (event) => unsaved && event.preventDefault());
setInterval(tick, 500);
next();

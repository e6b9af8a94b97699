// The list of jobs, kept up to date while somebody looks at it.
import { get, encoded } from './call.js';
import { byId, link, make, number, signInAt, state } from './page.js';

const EVERY = 3000;
let shown = '';

const share = (done, total) => (total > 0 ? Math.floor((100 * done) / total) : 0);

const card = (job) => {
  const title = `job-${job.name}`;
  const meter = make('progress', { max: String(Math.max(job.total, 1)), value: String(job.done), 'aria-label': 'Progress of the job' });
  const done = `${number(job.done)} of ${number(job.total)} done (${share(job.done, job.total)}%)`;
  const mine = job.done_by_you > 0 ? `You answered ${number(job.done_by_you)}` : null;
  const waits = job.available > 0 || job.held;
  const way = waits
    ? link(job.held ? 'Continue' : 'Start working', `/work/${encoded(job.name)}`)
    : make('p', { class: 'rest' }, job.done_by_you > 0 ? 'You have done all that is yours here. Thank you!' : 'Nothing waits for you here right now.');
  if (waits) way.setAttribute('aria-describedby', title);
  return make('article', { class: 'job', 'aria-labelledby': title },
    make('div', { class: 'what' },
      make('h2', { id: title, dir: 'auto' }, job.title),
      make('p', { class: 'origin' }, `Team ${job.team} · Job ${job.name}`),
      job.description && job.description !== job.title ? make('p', { dir: 'auto' }, job.description) : null,
      make('div', { class: 'progress' }, meter, make('span', {}, done)),
      make('p', { class: 'facts' }, [waits && job.available > 0 ? `${number(job.available)} waiting for you` : null, mine].filter(Boolean).join(' · '))),
    way);
};

const emptiness = (teams) => (teams.length === 0
  ? state('You are signed in, and in no team yet', 'There is nothing more for you to do. When you are put into a team, its jobs appear here; this page keeps looking by itself.')
  : state('No jobs right now', 'When there is something to label for your team, it appears here by itself.'));

const showTeams = (teams) => {
  byId('teams').textContent = teams.length === 0 ? 'In no team yet' : `In the ${teams.length === 1 ? 'team' : 'teams'} ${teams.join(', ')}`;
};

const show = ({ jobs, teams }) => {
  const seen = JSON.stringify([teams, jobs]);
  if (seen === shown) return;
  shown = seen;
  showTeams(teams);
  const focused = document.activeElement?.getAttribute?.('href');
  byId('jobs').replaceChildren(...(jobs.length > 0 ? jobs.map(card) : [emptiness(teams)]));
  byId('jobs').setAttribute('aria-busy', 'false');
  if (focused) [...byId('jobs').querySelectorAll('a')].find((other) => other.getAttribute('href') === focused)?.focus();
  const waiting = jobs.reduce((sum, job) => sum + job.available, 0);
  const order = jobs.length > 1 ? ' Jobs with work for you come first, the oldest on top.' : '';
  byId('lead').textContent = waiting > 0 ? `${number(waiting)} ${waiting === 1 ? 'item waits' : 'items wait'} for you.${order}` : '';
  byId('greeting').hidden = jobs.length === 0;
};

const signedOut = () => {
  shown = 'signed out';
  byId('who').hidden = true;
  byId('who').open = false;
  byId('greeting').hidden = true;
  byId('jobs').setAttribute('aria-busy', 'false');
  byId('jobs').replaceChildren(state('Welcome', 'Sign in to see what there is to label for your team.', link('Sign in', signInAt('/'))));
};

const introduce = async () => {
  const me = await get('/api/me');
  byId('name').textContent = me.name;
  byId('full-name').textContent = me.name;
  byId('who').hidden = false;
};

const look = async () => {
  if (document.hidden) return;
  try {
    if (byId('who').hidden) await introduce();
    show(await get('/api/jobs'));
    byId('trouble').hidden = true;
  } catch (error) {
    if (error.code === 'signed-out') signedOut();
    else byId('trouble').hidden = false;
  }
};

const keepLooking = async () => {
  await look();
  setTimeout(keepLooking, EVERY);
};

document.addEventListener('visibilitychange', look);
document.addEventListener('click', (event) => {
  if (!byId('who').contains(event.target)) byId('who').open = false;
});
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape' || !byId('who').open) return;
  byId('who').open = false;
  byId('who').querySelector('summary').focus();
});
keepLooking();

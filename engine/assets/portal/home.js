// The list of jobs, refreshed while the page is visible.
import { get, encoded } from './call.js';
import { byId, formatNumber, link, make, messageBox, signInPath } from './page.js';

const REFRESH_MS = 3000;
let shown = '';

const percent = (done, total) => (total > 0 ? Math.floor((100 * done) / total) : 0);

const card = (job) => {
  const title = `job-${job.name}`;
  const meter = make('progress', { max: String(Math.max(job.total, 1)), value: String(job.done), 'aria-label': 'Progress of the job' });
  const done = `${formatNumber(job.done)} of ${formatNumber(job.total)} done (${percent(job.done, job.total)}%)`;
  const mine = job.done_by_you > 0 ? `You answered ${formatNumber(job.done_by_you)}` : null;
  const hasWork = job.available > 0 || job.held;
  const action = hasWork
    ? link(job.held ? 'Continue' : 'Start working', `/work/${encoded(job.name)}`)
    : make('p', { class: 'rest' }, job.done_by_you > 0 ? 'You have done everything here. Thank you!' : 'Nothing waits for you here now.');
  if (hasWork) action.setAttribute('aria-describedby', title);
  return make('article', { class: 'job', 'aria-labelledby': title },
    make('div', { class: 'what' },
      make('h2', { id: title, dir: 'auto' }, job.title),
      make('p', { class: 'origin' }, `Team ${job.team} · Job ${job.name}`),
      job.description && job.description !== job.title ? make('p', { dir: 'auto' }, job.description) : null,
      make('div', { class: 'progress' }, meter, make('span', {}, done)),
      make('p', { class: 'facts' }, [hasWork && job.available > 0 ? `${formatNumber(job.available)} waiting for you` : null, mine].filter(Boolean).join(' · '))),
    action);
};

const noJobs = (teams) => (teams.length === 0
  ? messageBox('You are signed in, but in no team yet', 'You need not do anything else. When you are added to a team, its jobs appear here by themselves.')
  : messageBox('No jobs now', 'When there is something to label for your team, it appears here by itself.'));

const showTeams = (teams) => {
  byId('teams').textContent = teams.length === 0 ? 'In no team yet' : `In the ${teams.length === 1 ? 'team' : 'teams'} ${teams.join(', ')}`;
};

const show = ({ jobs, teams }) => {
  const content = JSON.stringify([teams, jobs]);
  if (content === shown) return;
  shown = content;
  showTeams(teams);
  const focused = document.activeElement?.getAttribute?.('href');
  byId('jobs').replaceChildren(...(jobs.length > 0 ? jobs.map(card) : [noJobs(teams)]));
  byId('jobs').setAttribute('aria-busy', 'false');
  if (focused) [...byId('jobs').querySelectorAll('a')].find((other) => other.getAttribute('href') === focused)?.focus();
  const waiting = jobs.reduce((sum, job) => sum + job.available, 0);
  const order = jobs.length > 1 ? ' Jobs with work for you come first, oldest first.' : '';
  byId('lead').textContent = waiting > 0 ? `${formatNumber(waiting)} ${waiting === 1 ? 'item waits' : 'items wait'} for you.${order}` : '';
  byId('greeting').hidden = jobs.length === 0;
};

const signedOut = () => {
  shown = 'signed out';
  byId('who').hidden = true;
  byId('who').open = false;
  byId('greeting').hidden = true;
  byId('jobs').setAttribute('aria-busy', 'false');
  byId('jobs').replaceChildren(messageBox('Welcome', 'Sign in to see what there is to label for your team.', link('Sign in', signInPath('/'))));
};

const showWorker = async () => {
  const me = await get('/api/me');
  byId('name').textContent = me.name;
  byId('full-name').textContent = me.name;
  byId('who').hidden = false;
};

const refresh = async () => {
  if (document.hidden) return;
  try {
    if (byId('who').hidden) await showWorker();
    show(await get('/api/jobs'));
    byId('problem').hidden = true;
  } catch (error) {
    if (error.code === 'signed-out') signedOut();
    else byId('problem').hidden = false;
  }
};

const runRefresh = async () => {
  await refresh();
  setTimeout(runRefresh, REFRESH_MS);
};

document.addEventListener('visibilitychange', refresh);
document.addEventListener('click', (event) => {
  if (!byId('who').contains(event.target)) byId('who').open = false;
});
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape' || !byId('who').open) return;
  byId('who').open = false;
  byId('who').querySelector('summary').focus();
});
runRefresh();

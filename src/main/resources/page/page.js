// The live page: listens to /live and shows each snapshot.
import { byId, count, icon, make, millis, millisText, reconcile, setText, span, spark } from './dom.js';
import { showReplicas } from './replicas.js';
import { flow, readColours } from './flow.js';
import { recolour, showCharts } from './charts.js';
import { showReceipt } from './receipt.js';

const RETRY_MS = 2000;
const KEY = 'penstock-admin-key';
const THEME = 'penstock-theme';

// ---- colours --------------------------------------------------------------------------------------------------------

const themes = ['auto', 'light', 'dark'];

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  const button = byId('theme');
  button.textContent = theme[0].toUpperCase() + theme.slice(1);
  button.setAttribute('aria-label', theme === 'auto' ? 'Colours: as the system has them' : `Colours: ${theme}`);
  try {
    localStorage.setItem(THEME, theme);
  } catch { /* Some browsers keep nothing for us. */ }
  readColours();
  recolour();
}

function storedTheme() {
  try {
    return themes.includes(localStorage.getItem(THEME)) ? localStorage.getItem(THEME) : 'auto';
  } catch {
    return 'auto';
  }
}

byId('theme').addEventListener('click', () => {
  setTheme(themes[(themes.indexOf(document.documentElement.dataset.theme) + 1) % themes.length]);
});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => setTheme(document.documentElement.dataset.theme));

// ---- the headline ---------------------------------------------------------------------------------------------------

/** When all is well there is room to say how well. */
function wellness({ rates, totals, inFlight, waiting }) {
  if (rates.requestsPerSecond === 0 && inFlight === 0 && waiting === 0) return totals.whole ? 'Nothing is asked at the moment.' : '';
  const whole = `${count(rates.wholePerSecond)} whole ${rates.wholePerSecond === 1 ? 'answer' : 'answers'} a second`;
  return rates.firstOutputP50Millis === null ? `${whole}.` : `${whole}; half of the streams begin within ${millisText(rates.firstOutputP50Millis)}.`;
}

function showHeadline(headline, snapshot) {
  const section = byId('headline');
  section.dataset.level = headline.level;
  section.dataset.replica = headline.replica ?? '';
  byId('headline-icon').setAttribute('href', `#i-${headline.level}`);
  setText(byId('headline-text'), headline.text);
  setText(byId('headline-why'), headline.level === 'good' ? wellness(snapshot) : headline.why);
  setText(byId('headline-impact'), headline.impact);
  setText(byId('headline-since'), headline.sinceMillis === null ? '' : `since ${span(headline.sinceMillis)}`);
  const more = byId('headline-more');
  const others = headline.others ? [{ level: 'info', text: `And ${headline.others} more.`, why: '' }] : [];
  reconcile(more, [...headline.more, ...others], (matter) => `${matter.level} ${matter.text}`, (matter) => {
    const item = make('li');
    item.append(icon(matter.level), make('span', 'text'));
    return item;
  }, (item, matter) => {
    item.dataset.level = matter.level;
    setText(item.querySelector('.text'), matter.text + (matter.why ? ` ${matter.why}` : ''));
  });
  document.title = headline.level === 'good' || headline.level === 'empty' ? 'Penstock' : `${headline.level === 'bad' ? '✕' : '△'} ${headline.text}`;
}

// ---- numbers --------------------------------------------------------------------------------------------------------

function number(id, value, unit, note, history) {
  const tile = byId(id);
  setText(tile.querySelector('b'), value);
  if (unit !== null) setText(tile.querySelector('.value span'), unit);
  setText(tile.querySelector('.note'), note);
  if (history) spark(tile.querySelector('.spark'), history);
}

const many = (number, one, more = `${one}s`) => `${count(number)} ${number === 1 ? one : more}`;

/** The time from token to token at the replica in the middle, of those that take work; null if none is known. */
function usualGap(replicas) {
  const gaps = replicas.filter((replica) => replica.usable && replica.learned?.tokenGapMillis)
    .map((replica) => replica.learned.tokenGapMillis).sort((one, other) => one - other);
  return gaps.length ? gaps[gaps.length >> 1] : null;
}

function showNumbers(snapshot) {
  const { rates, totals, history } = snapshot;
  number('n-whole', count(rates.wholePerSecond), '/s', `${count(totals.whole)} since the start`, history.whole);
  const gap = usualGap(snapshot.replicas);
  number('n-tokens', count(rates.tokensPerSecond), '/s', rates.tokensPerSecond === null ? 'no engine says how many'
    : `${count(snapshot.inFlight)} in flight${gap === null ? '' : `, ${millisText(gap)} a token`}`);
  const [value, unit] = millis(rates.firstOutputP50Millis);
  number('n-first', value, unit, rates.firstOutputP99Millis === null ? 'no stream in the last minute'
    : `99 % within ${millisText(rates.firstOutputP99Millis)}`, history.firstOutputP50Millis);
  number('n-waiting', count(snapshot.waiting), null, snapshot.waiting ? 'for a replica' : 'nobody waits');
  byId('n-waiting').dataset.some = String(snapshot.waiting > 0);
  const moved = totals.failovers + totals.retries + totals.hedges;
  number('n-moved', count(moved), null, moved === 0 ? 'nothing had to move'
    : `${many(totals.failovers, 'failover')}, ${many(totals.retries, 'retry', 'retries')}, ${many(totals.hedges, 'hedge')}`, history.moved);
  byId('n-moved').dataset.some = String(history.moved.some(Boolean));
  number('n-lost', count(totals.lost), null, totals.lost ? 'since the start' : 'none since the start', history.lost);
  byId('n-lost').dataset.some = String(history.lost.some(Boolean));
  setText(byId('source-rate'), count(rates.requestsPerSecond));
  setText(byId('source-waiting'), snapshot.waiting ? `${count(snapshot.waiting)} wait` : '');
}

// ---- decisions, incidents, configuration ----------------------------------------------------------------------------

const words = (text) => (text ?? 'running').replaceAll('_', ' ');
const short = (id) => (id.length > 14 ? `${id.slice(0, 12)}…` : id);

const hovers = matchMedia('(hover: hover)');
let shownDecisions = [];

function decisionRow(decision) {
  const row = make('tr');
  const button = make('button', 'link', short(decision.requestId));
  button.type = 'button';
  button.title = decision.requestId;
  button.setAttribute('aria-label', `Request ${decision.requestId}: why it went there`);
  row.addEventListener('click', () => showReceipt(decision.requestId));
  const request = make('td', 'request');
  request.append(button);
  row.append(request, make('td', 'where'), make('td', 'reason'), make('td', 'num first'), make('td', 'result'));
  return row;
}

function showDecisions(decisions) {
  const table = byId('decisions');
  const rows = table.querySelector('tbody');
  // Nobody hits what moves away: under a mouse, and while the keyboard is in it, no row comes, goes or moves.
  const held = (hovers.matches && rows.matches(':hover')) || rows.querySelector(':focus-visible') !== null;
  const latest = new Map(decisions.map((decision) => [decision.requestId, decision]));
  shownDecisions = held ? shownDecisions.map((decision) => latest.get(decision.requestId) ?? decision) : decisions;
  reconcile(rows, shownDecisions, (decision) => decision.requestId, decisionRow,
    (row, decision) => {
      row.dataset.request = decision.requestId;
      row.dataset.cause = decision.cause ?? '';
      row.dataset.result = decision.result ?? 'running';
      setText(row.querySelector('.where'), decision.replica ?? 'waits');
      setText(row.querySelector('.reason'), decision.why ?? '');
      setText(row.querySelector('.first'), decision.stream ? millisText(decision.firstOutputMillis) : '–');
      setText(row.querySelector('.result'), words(decision.result));
    });
  table.hidden = decisions.length === 0;
  byId('decisions-empty').hidden = decisions.length > 0;
}

const SIGNS = { up: 'good', down: 'bad', move: 'leaving', config: 'info', drain: 'draining' };

function showIncidents(incidents, arrivedMillis) {
  // The moment tells entries apart; it wobbles by some milliseconds from one snapshot to the next.
  const keyed = incidents.map((incident) => ({ ...incident, at: arrivedMillis - incident.agoMillis }));
  reconcile(byId('incidents'), keyed, (incident) => `${incident.text} ${Math.round(incident.at / 3000)}`, (incident) => {
    const item = make('li');
    item.append(icon(SIGNS[incident.kind] ?? 'info'), make('span', 'text'), make('time', 'soft'));
    return item;
  }, (item, incident) => {
    item.dataset.kind = incident.kind;
    item.dataset.replica = incident.replica ?? '';
    setText(item.querySelector('.text'), incident.text);
    setText(item.querySelector('time'), span(incident.agoMillis));
  });
  byId('incidents-empty').hidden = incidents.length > 0;
}

function lines(title, texts, kind) {
  if (!texts || texts.length === 0) return [];
  const list = make('ul', `lines ${kind}`);
  texts.forEach((text) => list.append(make('li', '', text)));
  return [make('h3', kind, title), list];
}

let shownConfig = '';

function showConfig(config) {
  const section = byId('config');
  section.dataset.ok = String(config.ok);
  setText(byId('config-state'), config.ok
    ? `${config.source}, in force, version ${config.applied ?? 1}` : `${config.source}: not in force`);
  const now = JSON.stringify(config);
  if (now === shownConfig) return;
  shownConfig = now;
  const parts = [
    ...lines(`${config.problems.length} to mend; the last good configuration stays in force`, config.problems, 'problems'),
    ...lines('Waits for a restart', config.pendingRestart, 'pending'),
    ...lines('Warnings', config.warnings, 'warnings'),
    ...lines('The last change', config.lastChange, 'diff'),
  ];
  byId('config-body').replaceChildren(...(parts.length ? parts : [make('p', 'soft empty', 'No edit since the start. Save the file and it applies within two seconds.')]));
}

// ---- a first request ------------------------------------------------------------------------------------------------

function showTry(snapshot) {
  const fresh = snapshot.replicas.length > 0 && snapshot.decisions.length === 0 && snapshot.totals.whole === 0;
  byId('try').hidden = !fresh;
  if (!fresh) return;
  const known = snapshot.replicas.flatMap((replica) => replica.models ?? [])[0] ?? '';
  // It goes into a shell, and a replica may call its model as it likes.
  const model = /^[\w./:@-]+$/.test(known) ? known : 'MODEL';
  setText(byId('try-line'), `curl -N http://${location.hostname}:${snapshot.frontPort}/v1/chat/completions -H 'content-type: application/json' \\\n`
    + `  -d '{"model":"${model}","stream":true,"messages":[{"role":"user","content":"Hi"}]}'`);
}

byId('try-copy').addEventListener('click', async (event) => {
  try {
    await navigator.clipboard.writeText(byId('try-line').textContent);
    event.target.textContent = 'Copied';
  } catch {
    getSelection().selectAllChildren(byId('try-line'));
    event.target.textContent = 'Selected';
  }
  setTimeout(() => { event.target.textContent = 'Copy'; }, 2000);
});

// ---- changes --------------------------------------------------------------------------------------------------------

const change = byId('change');
let wanted = null;

function storedKey() {
  try {
    return sessionStorage.getItem(KEY) ?? '';
  } catch {
    return '';
  }
}

function running(inFlight) {
  if (inFlight === 0) return 'Nothing runs there now.';
  return inFlight === 1 ? 'The request that runs there may finish.' : `The ${inFlight} requests that run there may finish.`;
}

function ask(name, action, inFlight) {
  wanted = { name, action };
  setText(byId('change-title'), action === 'drain' ? `Drain ${name}?` : `Let ${name} have work again?`);
  setText(byId('change-text'), action === 'drain'
    ? `It gets no new work from now on. ${running(inFlight)} The mark stays until you undrain it.`
    : 'It gets work as soon as it passes its probes.');
  setText(byId('change-go'), action === 'drain' ? 'Drain' : 'Undrain');
  setText(byId('change-error'), '');
  byId('change-key-row').hidden = true;
  change.showModal();
  byId('change-cancel').focus();
}

async function apply() {
  const typed = byId('change-key').value.trim();
  const key = typed || storedKey();
  const response = await fetch(`${wanted.action}/${encodeURIComponent(wanted.name)}`, {
    method: 'POST',
    headers: key ? { authorization: `Bearer ${key}` } : {},
  });
  if (response.ok) {
    try {
      if (typed) sessionStorage.setItem(KEY, typed);
    } catch { /* It will be asked for again. */ }
    byId('change-key').value = '';
    change.close();
    return;
  }
  const answer = await response.json();
  setText(byId('change-error'), response.status === 401 && !key ? '' : answer.error);
  if (response.status === 401) {
    try {
      sessionStorage.removeItem(KEY);
    } catch { /* There was none. */ }
    byId('change-key-row').hidden = false;
    byId('change-key').value = '';
    byId('change-key').focus();
  }
}

byId('change-form').addEventListener('submit', (event) => {
  event.preventDefault();
  apply().catch((problem) => setText(byId('change-error'), `Penstock cannot be reached (${problem.message})`));
});
byId('change-cancel').addEventListener('click', () => change.close());

// ---- the feed -------------------------------------------------------------------------------------------------------

/** A snapshot comes each second. A connection that died without a word says nothing of it, so silence has to. */
const SILENCE_MS = 20000;
let lostSince = null;

function connection(state, text) {
  byId('connection').dataset.state = state;
  setText(byId('connection-text'), text);
  document.body.classList.toggle('stale', state !== 'live');
}

function show(snapshot) {
  setText(byId('version'), snapshot.version);
  setText(byId('policy'), snapshot.config.policy ? words(snapshot.config.policy) : '');
  showHeadline(snapshot.headline, snapshot);
  showTry(snapshot);
  showNumbers(snapshot);
  const begun = showReplicas(snapshot, ask);
  flow(snapshot, begun);
  showCharts(snapshot.history);
  showDecisions(snapshot.decisions);
  showIncidents(snapshot.incidents, Date.now());
  showConfig(snapshot.config);
}

/** An EventSource does not say why it was refused. */
async function whyRefused() {
  const giveUp = new AbortController();
  try {
    const response = await fetch('live', { signal: giveUp.signal });
    const reason = response.ok ? '' : (await response.json()).error ?? `status ${response.status}`;
    giveUp.abort();
    return reason;
  } catch {
    return '';
  }
}

function listen() {
  const source = new EventSource('live');
  let heard = false;
  let silence = 0;
  const again = async (bye) => {
    clearTimeout(silence);
    source.close();
    lostSince ??= new Date();
    const since = lostSince.toLocaleTimeString();
    connection('lost', bye ? `Penstock went down at ${since}; trying again` : `connection lost since ${since}; trying again`);
    const reason = heard || bye ? '' : await whyRefused();
    if (reason) connection('lost', reason);
    setTimeout(listen, RETRY_MS);
  };
  source.addEventListener('snapshot', (event) => {
    heard = true;
    lostSince = null;
    clearTimeout(silence);
    silence = setTimeout(again, SILENCE_MS, false);
    show(JSON.parse(event.data));
    connection('live', 'live');
  });
  source.addEventListener('bye', () => again(true));
  source.addEventListener('error', () => again(false));
}

setTheme(storedTheme());
listen();

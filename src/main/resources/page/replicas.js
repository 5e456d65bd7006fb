// One card per replica: how it stands and why, what it has, what it makes.
import { byId, count, icon, make, millisText, reconcile, setText, span } from './dom.js';

/** A standing's colour. The word and the sign beside it say the same. */
const TONES = {
  ready: 'good', starting: 'info', draining: 'info', suspect: 'warn', ejected: 'warn', leaving: 'warn',
  refused: 'bad', failing: 'bad', stalled: 'bad',
};
const MOST_DOTS = 24;
/** What each had begun at the last snapshot. */
let before = new Map();

export const shownStanding = (replica) => (replica.draining ? 'draining' : replica.standing);
export const toneOf = (replica) => (replica.slow ? 'warn' : TONES[shownStanding(replica)] ?? 'info');

function meter(label) {
  const row = make('div', 'meter');
  row.append(make('span', 'label', label));
  const track = make('div', 'track');
  track.setAttribute('role', 'meter');
  track.setAttribute('aria-label', label);
  track.setAttribute('aria-valuemin', '0');
  row.append(track, make('span', 'amount'));
  return row;
}

function fact(id, label) {
  const row = make('div', `fact ${id}`);
  row.append(make('dt', '', label), make('dd', '', '–'));
  return row;
}

function create(ask) {
  const card = make('li', 'replica');
  const head = make('div', 'head');
  const badge = make('span', 'badge');
  badge.append(icon('starting'), make('span', 'word'));
  head.append(make('h3', 'name'), badge, make('span', 'since soft'));
  const about = make('div', 'about');
  about.append(head, make('p', 'reason'), make('p', 'place soft'), make('p', 'learned soft'));
  const load = make('div', 'load');
  const inFlight = meter('in flight');
  inFlight.classList.add('in-flight');
  const cache = meter('KV cache');
  cache.classList.add('kv');
  cache.querySelector('.track').append(make('i'));
  load.append(inFlight, cache);
  const facts = make('dl', 'facts');
  facts.append(fact('tokens', 'tokens/s'), fact('first', 'first token'), fact('engine', 'runs · waits'),
    fact('answers', 'done · failed'));
  const button = make('button', 'quiet drain');
  button.type = 'button';
  button.addEventListener('click', () => ask(button.dataset.name, button.dataset.action, Number(button.dataset.inFlight)));
  card.append(about, load, facts, button);
  return card;
}

function showDots(row, replica) {
  const track = row.querySelector('.track');
  const inLane = replica.learned?.inLane ?? 0;
  const dots = Math.min(MOST_DOTS, replica.inFlight + inLane);
  while (track.childElementCount > dots) track.lastElementChild.remove();
  while (track.childElementCount < dots) track.append(make('i'));
  const limit = replica.maxInFlight > 0 ? ` / ${replica.maxInFlight}` : '';
  [...track.children].forEach((dot, index) => dot.classList.toggle('lane', index >= replica.inFlight));
  setText(row.querySelector('.amount'), `${replica.inFlight}${limit}${inLane ? ` + ${inLane} in its lane` : ''}`);
  track.setAttribute('aria-valuenow', replica.inFlight);
  track.setAttribute('aria-valuemax', replica.maxInFlight || Math.max(replica.inFlight, MOST_DOTS));
}

function showCache(row, engines, fresh) {
  const uses = engines.map((engine) => engine.kvUsage).filter((use) => use !== null);
  row.classList.toggle('unknown', uses.length === 0);
  row.classList.toggle('old', !fresh);
  const use = uses.length ? Math.max(...uses) : 0;
  const track = row.querySelector('.track');
  track.querySelector('i').style.width = `${Math.round(use * 1000) / 10}%`;
  track.setAttribute('aria-valuenow', Math.round(use * 100));
  track.setAttribute('aria-valuemax', '100');
  track.setAttribute('aria-valuetext', uses.length ? `${Math.round(use * 100)} %` : 'unknown');
  setText(row.querySelector('.amount'), uses.length ? `${Math.round(use * 100)} %` : 'unknown');
}

function place(replica) {
  const models = replica.models === null ? '' : replica.models.slice(0, 2).join(', ')
    + (replica.models.length > 2 ? ` +${replica.models.length - 2}` : '');
  const parts = [replica.url.replace(/^http:\/\//, ''), models];
  if (replica.weight !== 1) parts.push(`weight ${replica.weight}`);
  if (replica.epoch > 0) parts.push(replica.epoch === 1 ? 'restarted once' : `restarted ${replica.epoch} times`);
  return parts.filter(Boolean).join(' · ');
}

function learnedOf(learned) {
  if (!learned) return '';
  const parts = [];
  if (learned.readTokensPerSecond) parts.push(`reads ${count(learned.readTokensPerSecond)} tok/s`);
  if (learned.tokenGapMillis) parts.push(`${millisText(learned.tokenGapMillis)} a token`);
  parts.push(`${count(learned.indexedPieces)} pieces known`);
  return `learned: ${parts.join(' · ')}`;
}

function sum(engines, key) {
  const known = engines.map((engine) => engine[key]).filter((value) => value !== null);
  return known.length ? known.reduce((one, other) => one + other, 0) : null;
}

function update(card, replica) {
  const standing = shownStanding(replica);
  // The same replica may get another name by an edit.
  card.id = `replica-${replica.name}`;
  const name = card.querySelector('.name');
  setText(name, replica.name);
  name.title = replica.name;
  card.dataset.replica = replica.name;
  card.dataset.standing = standing.toUpperCase();
  card.dataset.tone = toneOf(replica);
  card.dataset.usable = String(replica.usable);
  const use = card.querySelector('.badge use');
  if (use.getAttribute('href') !== `#i-${standing}`) use.setAttribute('href', `#i-${standing}`);
  setText(card.querySelector('.badge .word'), standing);
  setText(card.querySelector('.since'), replica.sinceMillis === null ? '' : `for ${span(replica.sinceMillis)}`);
  setText(card.querySelector('.reason'), standing === 'ready' ? replica.slow ?? '' : replica.draining
    ? 'no new work; what runs there finishes' : replica.reason);
  setText(card.querySelector('.place'), place(replica));
  setText(card.querySelector('.learned'), learnedOf(replica.learned));
  const engines = replica.engines ?? [];
  showDots(card.querySelector('.in-flight'), replica);
  showCache(card.querySelector('.kv'), engines, replica.enginesFresh);
  const fact = (name, text) => setText(card.querySelector(`.${name} dd`), text);
  fact('tokens', count(replica.tokensPerSecond));
  fact('first', millisText(replica.firstOutputMillis));
  const running = sum(engines, 'running');
  // An engine is asked only while it has work; what it said then is not what it does now.
  fact('engine', running === null || !replica.enginesFresh ? '–' : `${count(running)} · ${count(sum(engines, 'waiting') ?? 0)}`);
  fact('answers', `${count(replica.completed)} · ${count(replica.failed)}`);
  card.querySelector('.answers').classList.toggle('some-failed', replica.failed > 0);
  const button = card.querySelector('button');
  button.dataset.name = replica.name;
  button.dataset.inFlight = replica.inFlight;
  button.dataset.action = replica.draining ? 'undrain' : 'drain';
  setText(button, replica.draining ? 'Undrain' : 'Drain');
  button.setAttribute('aria-label', `${button.textContent} ${replica.name}`);
}

/** Shows them, and says what each has begun since the last time. */
export function showReplicas(snapshot, ask) {
  reconcile(byId('replicas'), snapshot.replicas, (replica) => replica.id, () => create(ask), update);
  setText(byId('fleet-note'), snapshot.replicas.length
    ? `${snapshot.usableReplicas} of ${snapshot.replicas.length + snapshot.moreReplicas} take work`
      + (snapshot.moreReplicas ? `, ${snapshot.moreReplicas} not shown` : '') : 'none yet');
  const begun = new Map();
  for (const replica of snapshot.replicas) {
    begun.set(replica.id, Math.max(0, replica.started - (before.get(replica.id) ?? replica.started)));
  }
  before = new Map(snapshot.replicas.map((replica) => [replica.id, replica.started]));
  return begun;
}

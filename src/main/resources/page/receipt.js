// Why one request went where it did: the dialog that a decision opens.
import { byId, count, make, millisText, span } from './dom.js';

const COSTS = [
  ['queueMillis', 'reading before it'], ['readMillis', 'reading it'], ['stepMillis', 'a token'],
  ['silenceMillis', 'silence'], ['answerMillis', 'its answer'], ['disturbanceMillis', 'the others'],
];

const dialog = byId('receipt');
byId('receipt-close').addEventListener('click', () => dialog.close());
dialog.addEventListener('click', (event) => {
  if (event.target === dialog) dialog.close();
});

const words = (text) => (text ?? 'still running').replaceAll('_', ' ');

function facts(receipt) {
  const list = make('dl', 'summary');
  const add = (term, text) => {
    if (text === null || text === undefined || text === '') return;
    const row = make('div');
    row.append(make('dt', '', term), make('dd', '', text));
    list.append(row);
  };
  add('Result', words(receipt.result) + (receipt.status ? `, status ${receipt.status}` : ''));
  add('Route', receipt.route + (receipt.stream ? ', streamed' : ''));
  add('Model', receipt.model);
  add('Prompt', receipt.promptTokens ? `about ${count(receipt.promptTokens)} tokens, ${receipt.promptPieces} pieces` : null);
  add('Policy', words(receipt.policy));
  add('Came', `${span(receipt.ageSeconds * 1000)} ago`);
  return list;
}

function timeline(receipt) {
  const figure = make('figure', 'timeline');
  const waited = receipt.queueMillis ?? 0;
  const first = receipt.firstOutputMillis;
  const total = receipt.totalMillis ?? receipt.ageSeconds * 1000;
  const bar = make('div', 'bar');
  const legend = make('ul', 'legend');
  const part = (kind, from, to, label) => {
    if (to <= from) return;
    const piece = make('i', kind);
    piece.style.width = `${Math.max(0.5, ((to - from) / total) * 100)}%`;
    bar.append(piece);
    const item = make('li');
    item.append(make('span', `key ${kind}`, label), make('b', '', millisText(to - from)));
    legend.append(item);
  };
  part('waited', 0, Math.min(waited, total), 'waited for a place');
  part('reading', Math.min(waited, total), first ?? total, first === null ? 'no output yet' : 'until the first output');
  if (first !== null) part('answering', first, total, 'answering');
  const end = make('li');
  end.append(make('span', '', receipt.totalMillis === null ? 'so far' : 'in all'), make('b', '', millisText(total)));
  legend.append(end);
  figure.append(bar, legend);
  return figure;
}

function costBar(candidate, most) {
  const bar = make('div', 'bar cost');
  COSTS.forEach(([key], index) => {
    const value = candidate[key] ?? 0;
    if (value <= 0) return;
    const piece = make('i', `c${index}`);
    piece.style.width = `${(value / most) * 100}%`;
    bar.append(piece);
  });
  return bar;
}

function candidates(decision) {
  const predicted = decision.candidates.some((each) => each.costMillis !== undefined);
  const table = make('table', 'candidates');
  const head = make('tr');
  const titles = predicted
    ? ['', 'Replica', 'Held', 'Seen', 'To read', 'What it was predicted to cost', 'Cost'] : ['', 'Replica', 'Held'];
  titles.forEach((title) => {
    const cell = make('th', '', title);
    cell.scope = 'col';
    head.append(cell);
  });
  const thead = make('thead');
  thead.append(head);
  const body = make('tbody');
  const most = Math.max(1e-9, ...decision.candidates.map((each) => each.costMillis ?? 0));
  for (const each of decision.candidates) {
    const row = make('tr', each.chosen ? 'chosen' : '');
    row.append(make('td', 'tick', each.chosen ? '✓' : ''), make('td', '', each.replica), make('td', 'num', count(each.held)));
    if (predicted && each.costMillis === undefined) {
      const cell = make('td', 'soft', 'held far more than the others, so it was not asked');
      cell.colSpan = 4;
      row.append(cell);
    } else if (predicted) {
      const bar = make('td', 'wide');
      bar.append(costBar(each, most));
      row.append(make('td', 'num', count(each.matchedPieces)), make('td', 'num', count(each.uncachedTokens)), bar,
        make('td', 'num', millisText(each.costMillis)));
    }
    body.append(row);
  }
  table.append(thead, body);
  const around = make('div', 'scroll');
  around.tabIndex = 0;
  around.append(table);
  if (predicted) {
    const legend = make('p', 'legend');
    COSTS.forEach(([, label], index) => legend.append(make('span', `key c${index}`, label)));
    around.append(legend);
  }
  return around;
}

function decisionOf(decision, number) {
  const section = make('section', 'decision');
  const title = make('h3');
  title.append(make('span', 'soft', `${number}. `), make('b', '', decision.replica), make('span', '', ` — ${decision.why}`));
  const told = [`chosen ${millisText(decision.chosenAfterMillis)} after it came`];
  if (decision.laneMillis > 0) told.push(`${millisText(decision.laneMillis)} in a lane`);
  if (decision.predictedMillis !== null) {
    told.push(`first output predicted after ${millisText(decision.predictedMillis)}`);
    if (decision.lateMillis !== null) {
      told.push(`came after ${millisText(decision.firstOutputMillis)} (${millisText(Math.abs(decision.lateMillis))} ${decision.lateMillis < 0 ? 'early' : 'late'})`);
    }
  }
  section.append(title, make('p', 'soft', told.join(', ')), candidates(decision));
  if (decision.others > 0) section.append(make('p', 'soft', `and ${decision.others} more`));
  return section;
}

function attempts(receipt) {
  const list = make('ol', 'attempts');
  for (const attempt of receipt.attempts) {
    const item = make('li');
    item.append(make('b', '', attempt.replica), make('span', '', `: ${words(attempt.reason)}, over after ${millisText(attempt.totalMillis)}`));
    list.append(item);
  }
  return list;
}

/** What was asked for last: the answer to an earlier question may come later. */
let wanted = '';

/** Opens the dialog of one request. */
export async function showReceipt(requestId) {
  wanted = requestId;
  const body = byId('receipt-body');
  byId('receipt-title').textContent = `Request ${requestId}`;
  body.replaceChildren(make('p', 'soft', 'asking…'));
  if (!dialog.open) dialog.showModal();
  try {
    const response = await fetch(`explain/${encodeURIComponent(requestId)}`);
    const receipt = await response.json();
    if (wanted !== requestId) return;
    if (!response.ok) throw new Error(receipt.error);
    const parts = [facts(receipt), timeline(receipt), ...receipt.decisions.map((each, index) => decisionOf(each, index + 1))];
    if (receipt.moreDecisions > 0) parts.push(make('p', 'soft', `${receipt.moreDecisions} decisions in between are left out`));
    if (receipt.attempts.length) parts.push(make('h3', '', 'Tries'), attempts(receipt));
    parts.push(make('p', 'soft', `In a terminal: penstock explain ${requestId}`));
    body.replaceChildren(...parts);
  } catch (problem) {
    if (wanted === requestId) body.replaceChildren(make('p', 'error', problem.message));
  }
}

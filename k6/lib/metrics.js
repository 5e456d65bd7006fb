// The metrics of all scripts, and how one reading is counted.

import { Counter, Rate, Trend } from 'k6/metrics';
import { SLO_ITL, SLO_TTFT, number } from './env.js';
import { OUTCOMES } from './reading.js';

const outcomes = {};
OUTCOMES.forEach((name) => {
  outcomes[name] = new Counter(`outcome_${name}`);
});

// Request start to the answer's head. In front of a server that answers before it has output, this says nothing;
// Penstock holds the head until there is output, or until its first heartbeat.
const head = new Trend('stream_head', true);
// Request start to the first event with output: no comment, no error, no response.created.
const ttft = new Trend('stream_ttft', true);
// From one event with text to the next.
const itl = new Trend('stream_itl', true);
const duration = new Trend('stream_duration', true);
const tokens = new Counter('stream_tokens');
// Of the streams that had output, those that did not end whole.
const truncated = new Rate('stream_truncated');
// Of all streams, those that ended whole, with the first token within SLO_TTFT and the others within SLO_ITL each.
const good = new Rate('stream_good');

// Lines that a virtual user may still write. Without an end to them, a server that is down would fill the terminal.
let lines = number('LINES', 3);

function report(reading) {
  if (lines > 0) {
    lines--;
    console.warn(String(reading) + (lines === 0 ? ' (this user says no more: LINES)' : ''));
  }
}

/** Counts a reading under these tags, and says on the console if it was not whole. */
export function count(reading, tags) {
  const all = Object.assign({ kind: reading.call.kind }, tags);
  OUTCOMES.forEach((name) => outcomes[name].add(reading.outcome === name ? 1 : 0, all));
  if (reading.outcome !== 'whole') {
    report(reading);
  }
  if (!reading.call.stream) {
    return;
  }
  if (reading.head >= 0) {
    head.add(reading.head, all);
  }
  duration.add(reading.duration, all);
  tokens.add(reading.tokens, all);
  if (reading.output) {
    truncated.add(reading.outcome !== 'whole', all);
  }
  if (reading.timed) {
    countTimes(reading, all);
  }
}

function countTimes(reading, all) {
  if (reading.ttft >= 0) {
    ttft.add(reading.ttft, all);
  }
  reading.gaps.forEach((gap) => itl.add(gap, all));
  good.add(reading.outcome === 'whole' && reading.ttft <= SLO_TTFT && reading.perToken() <= SLO_ITL, all);
}

/** What every run is held to: nothing is lost, no client is lied to, and something came at all. */
export const HONEST = {
  outcome_whole: ['count>0'],
  outcome_lost: ['count==0'],
  outcome_silent: ['count==0'],
};

/** On top of that, for runs in which nothing is broken on purpose. */
export const WHOLE = Object.assign({}, HONEST, {
  outcome_broken: ['count==0'],
  outcome_other: ['count==0'],
  stream_truncated: ['rate==0'],
});

/** Thresholds on times, for a reader that can or cannot tell them. */
export function times(timed) {
  return timed
    ? { stream_ttft: [`p(95)<${SLO_TTFT}`], stream_itl: [`p(95)<${SLO_ITL}`], stream_good: ['rate>0.95'] }
    : { stream_head: [`p(95)<${SLO_TTFT}`] };
}

/** A threshold that never fails makes k6 keep a metric for one tag value, which the summary then shows. */
export function shown(metrics, tag, values) {
  const thresholds = {};
  metrics.forEach((metric) => values.forEach((value) => {
    thresholds[`${metric}{${tag}:${value}}`] = [metric.startsWith('stream_') ? 'max>=0' : 'count>=0'];
  }));
  return thresholds;
}

/** Options that all scripts share. */
export const SHARED_OPTIONS = {
  summaryTrendStats: ['min', 'med', 'p(95)', 'p(99)', 'max'],
  noConnectionReuse: false,
  userAgent: 'penstock-k6',
};

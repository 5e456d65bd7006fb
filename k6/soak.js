// Little load for a long time: whether anything leaks, drifts or fails once in a while.
//
//   k6 run -e RATE=2 -e DURATION=8h soak.js

import exec from 'k6/execution';
import { call, kindsFrom } from './lib/calls.js';
import { number } from './lib/env.js';
import { SHARED_OPTIONS, WHOLE, count, shown, times } from './lib/metrics.js';
import { constant } from './lib/rates.js';
import { read, timed } from './lib/reader.js';
import { cells, summary } from './lib/summary.js';

const PARTS = ['first', 'middle', 'last'];
const kinds = kindsFrom('chat,completions,responses,messages');

export const options = Object.assign({}, SHARED_OPTIONS, {
  scenarios: { soak: constant(number('RATE', 2), __ENV.DURATION || '10m') },
  thresholds: Object.assign({}, WHOLE, times(timed), { dropped_iterations: ['count==0'] },
    shown(['stream_duration'], 'part', PARTS)),
});

export default function () {
  const progress = exec.scenario.progress;
  const tags = { part: progress < 0.2 ? 'first' : progress < 0.8 ? 'middle' : 'last' };
  const turn = exec.scenario.iterationInTest;
  const kind = kinds[turn % kinds.length];
  // Three of four are streams. The bit above the turn of the kinds, so that each kind comes in both forms.
  count(read(call(kind, turn, Math.floor(turn / kinds.length) % 4 !== 3, tags)), tags);
}

export const handleSummary = summary('soak', ({ metrics }) => {
  const lines = ['  a stream in the first fifth, the middle and the last fifth: p50, p95, p99, max'];
  PARTS.forEach((part) => lines.push(`  ${part.padEnd(16)}${cells(metrics[`stream_duration{part:${part}}`].values)}`));
  return lines.concat('');
});

// Ten times as many at once, and back: whether anything is lost, and whether it is over when the burst is over.
//
//   k6 run -e RATE=4 spike.js                               4, then 40, then 4 requests a second
//   k6 run -e RATE=2 -e FACTOR=20 -e BURST=10s spike.js

import exec from 'k6/execution';
import { call, kindsFrom } from './lib/calls.js';
import { SLO_TTFT, number } from './lib/env.js';
import { SHARED_OPTIONS, WHOLE, count, shown } from './lib/metrics.js';
import { stepAt, stepped } from './lib/rates.js';
import { read, timed } from './lib/reader.js';
import { cells, countOf, summary } from './lib/summary.js';

const PHASES = ['before', 'burst', 'settling', 'after'];
const rate = Math.max(1, Math.round(number('RATE', 4)));
const factor = number('FACTOR', 10);
const steps = [
  { rate, duration: __ENV.CALM || '5s' },
  { rate: Math.round(rate * factor), duration: __ENV.BURST || '5s' },
  { rate, duration: __ENV.SETTLE || '5s' },
  { rate, duration: __ENV.CALM || '5s' },
];
const kinds = kindsFrom('chat');
const trend = timed ? 'stream_ttft' : 'stream_head';

export const options = Object.assign({}, SHARED_OPTIONS, {
  scenarios: { spike: stepped(steps) },
  thresholds: Object.assign({}, WHOLE, { dropped_iterations: ['count==0'] },
    shown([trend, 'outcome_whole'], 'phase', PHASES), {
      // In the burst it may take as long as it takes; afterwards it must be as before.
      [`${trend}{phase:after}`]: [`p(95)<${SLO_TTFT}`],
    }),
});

export default function () {
  const tags = { phase: PHASES[stepAt(steps, Date.now() - exec.scenario.startTime) - 1] };
  const turn = exec.scenario.iterationInTest;
  count(read(call(kinds[turn % kinds.length], turn, true, tags)), tags);
}

export const handleSummary = summary('spike', ({ metrics }) => {
  const lines = [`  ${'phase'.padEnd(12)}whole  ${timed ? 'first token' : 'head'}: p50, p95, p99, max`];
  PHASES.forEach((phase) => {
    const whole = countOf(metrics, `outcome_whole{phase:${phase}}`);
    lines.push(`  ${phase.padEnd(12)}${String(whole).padEnd(6)}${cells(metrics[`${trend}{phase:${phase}}`].values)}`);
  });
  return lines.concat('');
});

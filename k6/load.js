// How much is too much: an open model that goes up in steps, and what each step looked like. The knee is the step from
// which on times grow without an end.
//
//   k6 run -e RATE=40 -e DURATION=60s load.js              four steps up to 40 requests a second
//   k6 run -e STAGES=5:10s,20:30s,30:30s load.js           steps of your own
//   k6 run -e SSE=1 load.js                                with true times to the first token (needs k6/x/sse)

import exec from 'k6/execution';
import { call, kindsFrom } from './lib/calls.js';
import { millis, number } from './lib/env.js';
import { SHARED_OPTIONS, WHOLE, count, shown, times } from './lib/metrics.js';
import { parseSteps, stepAt, stepped } from './lib/rates.js';
import { read, timed } from './lib/reader.js';
import { cells, countOf, summary } from './lib/summary.js';

const peak = number('RATE', 20);
const quarter = `${Math.round(millis(__ENV.DURATION || '20s') / 4)}ms`;
const steps = __ENV.STAGES
  ? parseSteps(__ENV.STAGES)
  : [0.25, 0.5, 0.75, 1].map((share) => ({ rate: Math.max(1, Math.round(peak * share)), duration: quarter }));
const names = steps.map((step, i) => String(i + 1));
const kinds = kindsFrom('chat');
const trend = timed ? 'stream_ttft' : 'stream_head';

export const options = Object.assign({}, SHARED_OPTIONS, {
  scenarios: { load: stepped(steps) },
  thresholds: Object.assign({}, WHOLE, times(timed), { dropped_iterations: ['count==0'] },
    shown([trend, 'stream_duration', 'outcome_whole'], 'step', names)),
});

export default function () {
  const tags = { step: String(stepAt(steps, Date.now() - exec.scenario.startTime)) };
  const turn = exec.scenario.iterationInTest;
  count(read(call(kinds[turn % kinds.length], turn, true, tags)), tags);
}

export const handleSummary = summary('load', ({ metrics }) => {
  const lines = [`  ${'requests/s'.padEnd(12)}whole/s   ${timed ? 'first token' : 'head'}: p50, p95, p99, max`];
  steps.forEach((step, i) => {
    const tag = `{step:${i + 1}}`;
    const whole = countOf(metrics, `outcome_whole${tag}`) / (millis(step.duration) / 1000);
    lines.push(`  ${String(step.rate).padEnd(12)}${whole.toFixed(1).padEnd(7)}${cells(metrics[trend + tag].values)}`);
  });
  return lines.concat('');
});

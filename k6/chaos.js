// A steady mix of everything, while something else stops, hangs and restarts replicas: chaos.sh, or you. At least one
// replica should be up at any time, and none should go down right after another: a request that was without output at
// the death of two replicas is not tried on a third.
//
// It passes if no answer was lost before its output and none that was cut looked whole. Streams that were cut in the
// middle cannot be saved; that each of them says so is what is checked.
//
//   k6 run -e RATE=8 -e DURATION=30s chaos.js

import exec from 'k6/execution';
import { call, kindsFrom } from './lib/calls.js';
import { number } from './lib/env.js';
import { HONEST, SHARED_OPTIONS, count } from './lib/metrics.js';
import { constant } from './lib/rates.js';
import { read } from './lib/reader.js';
import { summary } from './lib/summary.js';

const kinds = kindsFrom('chat,completions,responses,messages');

export const options = Object.assign({}, SHARED_OPTIONS, {
  scenarios: { chaos: constant(number('RATE', 8), __ENV.DURATION || '30s') },
  thresholds: Object.assign({}, HONEST, { dropped_iterations: ['count==0'] }),
});

export default function () {
  const turn = exec.scenario.iterationInTest;
  count(read(call(kinds[turn % kinds.length], turn, Math.floor(turn / kinds.length) % 4 !== 3, {})), {});
}

export const handleSummary = summary('chaos', () => [
  '  lost: failed before output. told: cut, and an error event says so. broken: cut, and only the connection says so.',
  '  silent: cut, and it looks whole. The lines above have their request ids, for the access log.',
  '',
]);

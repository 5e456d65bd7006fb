// What stream.js and stream-plain.js do, whichever way they read.

import exec from 'k6/execution';
import { call, kindsFrom } from './calls.js';
import { number } from './env.js';
import { SHARED_OPTIONS, WHOLE, count, shown, times } from './metrics.js';
import { constant } from './rates.js';
import { cells, summary } from './summary.js';

const UNMEASURED = [
  '  Not measured, as this k6 reads a stream only when it has ended: time to the first token, gaps between tokens.',
  '  "head" comes with the first token if Penstock is in front (but for waits that its heartbeat ends), and says',
  '  nothing about a vLLM by itself. For the rest: stream.js, with a k6 that has the module k6/x/sse.',
  '',
];

/** Streams of all APIs in turn, at a steady rate. */
export function scenario(name, read, timed) {
  const kinds = kindsFrom('chat,completions,responses,messages');
  const trend = timed ? 'stream_ttft' : 'stream_head';
  const options = Object.assign({}, SHARED_OPTIONS, {
    scenarios: { streams: constant(number('RATE', 5), __ENV.DURATION || '20s') },
    thresholds: Object.assign({}, WHOLE, times(timed), shown([trend], 'kind', kinds)),
  });
  const iteration = () => {
    const turn = exec.scenario.iterationInTest;
    count(read(call(kinds[turn % kinds.length], turn, true, {})), {});
  };
  const handleSummary = summary(name, (data) => {
    const lines = [`  ${timed ? 'first token' : 'head'} by API`];
    kinds.forEach((kind) => lines.push(`  ${kind.padEnd(16)}${cells(data.metrics[`${trend}{kind:${kind}}`].values)}`));
    return lines.concat('', timed ? [] : UNMEASURED);
  });
  return { options, iteration, handleSummary };
}

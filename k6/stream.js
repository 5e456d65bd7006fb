// Streams, event by event: time to the first token, gaps between tokens, and whether each stream came whole.
// Needs the module k6/x/sse. Without it: stream-plain.js.
//
//   k6 run -e RATE=5 -e DURATION=20s stream.js

import { read, timed } from './lib/sse.js';
import { scenario } from './lib/streaming.js';

const { options, iteration, handleSummary } = scenario('stream', read, timed);

export { options, handleSummary };
export default iteration;

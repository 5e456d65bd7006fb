// The same streams as stream.js, for a k6 without the module k6/x/sse: each is read as one text. Whether it came whole
// can be told, when its tokens came cannot.
//
//   k6 run -e RATE=5 -e DURATION=20s stream-plain.js

import { read, timed } from './lib/text.js';
import { scenario } from './lib/streaming.js';

const { options, iteration, handleSummary } = scenario('stream-plain', read, timed);

export { options, handleSummary };
export default iteration;

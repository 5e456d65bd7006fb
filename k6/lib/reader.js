// Which reader a script uses that can do with either. k6 does not start when a script asks for a module that it lacks,
// not even inside try and catch, so the choice cannot be made here: SSE=1 asks for the module.

import * as text from './text.js';

const chosen = __ENV.SSE === '1' ? require('./sse.js') : text;

export const read = chosen.read;

/** Whether it can tell when events came. */
export const timed = chosen.timed;

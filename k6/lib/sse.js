// Reads with the module k6/x/sse, which hands over each event as it comes. Only what all modules of that name have is
// relied on: sse.open, client.on, client.close, event.name and .data, response.status, .headers and .error.

import sse from 'k6/x/sse';
import { Reading } from './reading.js';
import { read as readText } from './text.js';

export const timed = true;

/** Sends a call and waits for the end of its answer. */
export function read(call) {
  if (!call.stream) {
    return readText(call);
  }
  const reading = new Reading(call);
  const params = { method: 'POST', body: call.body, headers: call.headers, timeout: call.timeout, tags: call.tags };
  const start = Date.now();
  const response = sse.open(call.url, params, (client) => {
    client.on('open', () => {
      reading.head = Date.now() - start;
    });
    client.on('event', (event) => reading.event(event.name || '', (event.data || '').trim(), Date.now() - start));
    client.on('error', (error) => {
      reading.error = reading.error || error.error();
      // One of the modules would wait for ever otherwise.
      client.close();
    });
  });
  reading.duration = Date.now() - start;
  reading.timed = true;
  reading.status = response.status || 0;
  reading.error = reading.error || response.error || '';
  if (response.body) {
    reading.lastData = response.body;
  }
  sharpen(reading, response.timings);
  return reading.endOfStream();
}

/** Takes times that were not measured in JavaScript, if the module has them and means the same by them. */
function sharpen(reading, timings) {
  if (!timings) {
    return;
  }
  reading.head = timings.head || reading.head;
  reading.duration = timings.duration || reading.duration;
  // Its first event is a responses stream's preamble, which is no output.
  if (timings.ttft && reading.output && reading.call.kind !== 'responses') {
    reading.ttft = timings.ttft;
  }
}

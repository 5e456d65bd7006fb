// Reads with stock k6, which hands over an answer when all of it is here. What a stream's events were, and how it
// ended, can still be told; when they came cannot.

import http from 'k6/http';
import { Reading } from './reading.js';

export const timed = false;

/** Sends a call and waits for the end of its answer. */
export function read(call) {
  const response = http.post(call.url, call.body, { headers: call.headers, timeout: call.timeout, tags: call.tags });
  const reading = new Reading(call);
  const body = response.body || '';
  // k6 reports 0 for an answer that broke off; if there is a body, there was a head.
  reading.status = response.status || (body ? 200 : 0);
  reading.error = response.error && response.error_code < 1400 ? response.error : '';
  reading.head = response.timings.waiting;
  reading.duration = response.timings.duration;
  if (!call.stream) {
    return reading.endOfBody(body);
  }
  events(body, (name, data) => reading.event(name, data, -1));
  if (reading.lastData === '') {
    reading.lastData = body;
  }
  return reading.endOfStream();
}

/** Takes a stream's text apart (WHATWG HTML, section 9.2.6). What no blank line ends is no event. */
export function events(body, take) {
  let name = '';
  let data = [];
  for (const line of body.split(/\r\n|\n|\r/)) {
    if (line === '') {
      take(name, data.join('\n'));
      name = '';
      data = [];
    } else if (line.startsWith('data:')) {
      data.push(line.charAt(5) === ' ' ? line.slice(6) : line.slice(5));
    } else if (line.startsWith('event:')) {
      name = line.slice(6).trim();
    }
  }
}

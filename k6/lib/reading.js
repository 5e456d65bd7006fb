// What became of one answer. Fed with events as they come, by whichever reader; decides at the end.

import { KINDS } from './calls.js';

/**
 * How an answer can end:
 *
 * whole   it ended with its end marker and without an error
 * lost    it failed before any output: another replica could have taken it
 * told    it was cut after output, and an error event says so
 * broken  it was cut after output without a readable error event, but the connection broke, so clients notice
 * silent  it was cut after output and ended like a whole one: the client is lied to
 * other   anything else: a refused request (4xx), garbage, the script's own time limit
 */
export const OUTCOMES = ['whole', 'lost', 'told', 'broken', 'silent', 'other'];

const PREAMBLE = /^response\.(created|queued|in_progress)$/;

function parsed(data) {
  try {
    return JSON.parse(data);
  } catch (e) {
    return null;
  }
}

/** One answer, streamed or not. Times are milliseconds since its request started; -1 if unknown. */
export class Reading {
  constructor(call) {
    this.call = call;
    this.kind = KINDS[call.kind];
    this.status = 0;
    this.error = '';
    this.head = -1;
    this.ttft = -1;
    this.duration = -1;
    this.gaps = [];
    this.tokens = 0;
    this.timed = false;
    this.outcome = '';
    this.lastData = '';
    this.output = false;
    this.ended = false;
    this.errorEvent = false;
    this.garbage = false;
    this.lastTokenAt = -1;
  }

  /** Takes one event. Comments, which come as events without data from some readers, are no events. */
  event(name, data, at) {
    if (!data) {
      return;
    }
    this.lastData = data;
    const json = data === '[DONE]' ? null : parsed(data);
    if (data !== '[DONE]' && (json === null || typeof json !== 'object')) {
      this.garbage = true;
      return;
    }
    if (name === 'error' || name === 'response.failed' || (json && (json.error || json.type === 'error'))) {
      this.errorEvent = true;
      return;
    }
    this.ended = this.ended || this.kind.isEnd(name, data);
    if (!json || PREAMBLE.test(name)) {
      return;
    }
    if (!this.output) {
      this.output = true;
      this.ttft = at;
    }
    if (this.kind.isToken(name, json)) {
      this.tokens++;
      if (this.lastTokenAt >= 0) {
        this.gaps.push(at - this.lastTokenAt);
      }
      this.lastTokenAt = at;
    }
  }

  /** The stream is over. */
  endOfStream() {
    this.outcome = this.streamOutcome();
    return this;
  }

  streamOutcome() {
    if (this.status !== 200 || !this.output) {
      return this.refused() ? 'other' : 'lost';
    }
    if (this.errorEvent) {
      return 'told';
    }
    if (this.ended) {
      return this.garbage ? 'other' : 'whole';
    }
    if (this.error) {
      return /timeout|deadline/i.test(this.error) ? 'other' : 'broken';
    }
    return 'silent';
  }

  /** The whole body of an answer that is no stream is here, or as much of it as came. */
  endOfBody(body) {
    const json = parsed(body);
    if (this.status !== 200) {
      this.outcome = this.refused() ? 'other' : 'lost';
    } else if (this.error) {
      this.outcome = body ? 'broken' : 'lost';
    } else if (json && json.error) {
      this.outcome = 'lost';
    } else {
      this.outcome = json && this.kind.isAnswer(json) ? 'whole' : json ? 'other' : 'silent';
    }
    this.lastData = body || '';
    return this;
  }

  /** Whether the server said that the request itself is at fault. 429 is not that: it is an answer to overload. */
  refused() {
    return this.status >= 400 && this.status < 500 && this.status !== 429;
  }

  /** Mean time per token after the first, or -1. */
  perToken() {
    return this.gaps.length > 0 ? this.gaps.reduce((sum, gap) => sum + gap, 0) / this.gaps.length : -1;
  }

  toString() {
    const tail = this.lastData.length > 160 ? '…' + this.lastData.slice(-160) : this.lastData;
    return `${this.outcome}: ${this.call.kind}${this.call.stream ? ' stream' : ''}, status ${this.status}, ` +
      `request ${this.call.id}, ${this.error || 'no transport error'}, last: ${tail || 'nothing'}`;
  }
}

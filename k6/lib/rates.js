// Open models: requests start when they are due, whether earlier ones have ended or not.

import { millis, number } from './env.js';

/** A scenario's share of virtual users: each waits for one answer at a time. */
function users(rate) {
  const most = number('MAX_VUS', Math.max(50, Math.ceil(rate * 30)));
  return {
    preAllocatedVUs: Math.min(most, Math.max(10, Math.ceil(rate * 2))),
    maxVUs: most,
    timeUnit: '1s',
    gracefulStop: __ENV.TIMEOUT || '60s',
  };
}

/** So many requests a second, for so long. */
export function constant(rate, duration) {
  // k6 wants whole numbers: 0.5 a second is 50 in 100 s.
  const scale = Number.isInteger(rate) ? 1 : 100;
  return Object.assign({ executor: 'constant-arrival-rate', duration }, users(rate), {
    rate: Math.round(rate * scale),
    timeUnit: `${scale}s`,
  });
}

/** One step after the other, without ramps between them, so that each can be read by itself. */
export function stepped(steps) {
  const stages = [];
  steps.forEach(({ rate, duration }) => {
    stages.push({ target: rate, duration: '0s' }, { target: rate, duration });
  });
  return Object.assign(
    { executor: 'ramping-arrival-rate', startRate: steps[0].rate, stages },
    users(Math.max(...steps.map((step) => step.rate))),
  );
}

/** RATE:DURATION,RATE:DURATION,… as steps. */
export function parseSteps(text) {
  return text.split(',').map((part) => {
    const match = /^([0-9]+):([0-9.]+(?:ms|s|m|h))$/.exec(part.trim());
    if (!match) {
      throw new Error(`STAGES: want RATE:DURATION,… such as 5:10s,20:30s, got ${part}`);
    }
    return { rate: Number(match[1]), duration: match[2] };
  });
}

/** Which step is running this long after the scenario's start, counted from 1. */
export function stepAt(steps, elapsed) {
  let end = 0;
  for (let i = 0; i < steps.length; i++) {
    end += millis(steps[i].duration);
    if (elapsed < end) {
      return i + 1;
    }
  }
  return steps.length;
}

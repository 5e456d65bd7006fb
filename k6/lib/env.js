// What the caller may set. Everything comes from environment variables (or k6 run -e NAME=VALUE); all have defaults.

/** Where the API is, without a slash at the end. */
export const BASE = (__ENV.BASE || 'http://127.0.0.1:8000').replace(/\/+$/, '');

/** The model's name, as GET /v1/models lists it. */
export const MODEL = __ENV.MODEL || 'demo';

/** The folder for NAME.json, or empty for none. It must exist. */
export const OUT = (__ENV.OUT || '').replace(/\/+$/, '');

/** How long one request may take before the script gives up. */
export const TIMEOUT = __ENV.TIMEOUT || '60s';

/** Number of tokens in a prompt, of them shared by all prompts, and in an answer. */
export const PROMPT_TOKENS = number('PROMPT_TOKENS', 100);
export const SHARED_TOKENS = number('SHARED_TOKENS', 0);
export const OUTPUT_TOKENS = number('OUTPUT_TOKENS', 32);

/** Milliseconds that a good request takes at most: to its first token, and per token after it. */
export const SLO_TTFT = number('SLO_TTFT', 1000);
export const SLO_ITL = number('SLO_ITL', 100);

/** A number from the environment. Stops the run if it is none. */
export function number(name, fallback) {
  const text = __ENV[name];
  if (text === undefined || text === '') {
    return fallback;
  }
  const value = Number(text);
  if (!(value >= 0)) {
    throw new Error(`${name}: want a number from 0, got ${text}`);
  }
  return value;
}

/** Milliseconds of a duration such as 500ms, 20s, 10m, 1h. */
export function millis(text) {
  const match = /^([0-9.]+)(ms|s|m|h)$/.exec(text);
  if (!match) {
    throw new Error(`want a duration such as 500ms, 20s, 10m or 1h, got ${text}`);
  }
  return Number(match[1]) * { ms: 1, s: 1000, m: 60000, h: 3600000 }[match[2]];
}

/** The headers of every request. FAULT asks a simulated replica to misbehave; a real vLLM does not know it. */
export function headers() {
  const all = { 'Content-Type': 'application/json' };
  if (__ENV.API_KEY) {
    all.Authorization = `Bearer ${__ENV.API_KEY}`;
  }
  if (__ENV.FAULT) {
    all['x-sim-fault'] = __ENV.FAULT;
  }
  return all;
}

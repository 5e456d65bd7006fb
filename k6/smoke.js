// Each API once, in a few seconds: whether it is there and answers in the right shape.
//
//   k6 run smoke.js

import { check } from 'k6';
import http from 'k6/http';
import { KINDS, call } from './lib/calls.js';
import { BASE, MODEL, TIMEOUT, headers } from './lib/env.js';
import { SHARED_OPTIONS } from './lib/metrics.js';
import { summary } from './lib/summary.js';
import { read } from './lib/text.js';

export const options = Object.assign({}, SHARED_OPTIONS, {
  scenarios: { smoke: { executor: 'shared-iterations', vus: 1, iterations: 1, maxDuration: '5m' } },
  thresholds: { checks: ['rate==1'] },
});

const get = (path) => http.get(BASE + path, { headers: headers(), timeout: TIMEOUT });
const post = (path, body) => {
  const full = Object.assign({ model: MODEL }, body);
  return http.post(BASE + path, JSON.stringify(full), { headers: headers(), timeout: TIMEOUT });
};

/** A response's JSON, or an empty object. */
function json(response) {
  try {
    return response.json() || {};
  } catch (e) {
    return {};
  }
}

const expect = (name, good, seen) => {
  if (!check(seen, { [name]: () => good })) {
    // A response of k6, or a reading of ours.
    console.error(`${name}: got ${seen.outcome === undefined ? `${seen.status} ${seen.body || ''}` : String(seen)}`);
  }
};

export default function () {
  models();
  generation();
  // Not every model has these; a server that lacks a route says 404.
  optional('embeddings', post('/v1/embeddings', { input: 'water' }), (found) => found.data[0].embedding.length > 0);
  optional('tokenize', post('/tokenize', { prompt: 'water under the bridge' }), (found) => found.tokens.length > 0);
  refusals();
}

function models() {
  const health = get('/health');
  expect('health: 200', health.status === 200, health);
  const list = get('/v1/models');
  const names = (json(list).data || []).map((each) => each.id);
  expect(`models: lists ${MODEL}`, list.status === 200 && names.includes(MODEL), list);
}

function generation() {
  Object.keys(KINDS).forEach((kind, i) => {
    const whole = read(call(kind, 2 * i, false, {}));
    if (whole.status === 404 && (kind === 'responses' || kind === 'messages')) {
      console.log(`${kind}: not served here`);
      return;
    }
    expect(`${kind}: an answer`, whole.outcome === 'whole', whole);
    const stream = read(call(kind, 2 * i + 1, true, {}));
    expect(`${kind}: a whole stream`, stream.outcome === 'whole' && stream.tokens > 0, stream);
  });
}

function optional(name, response, good) {
  if (response.status === 404 || response.status === 501) {
    console.log(`${name}: not served here`);
    return;
  }
  let right = false;
  try {
    right = response.status === 200 && good(json(response));
  } catch (e) {
    // A field is missing: not right.
  }
  expect(`${name}: an answer`, right, response);
}

/** Errors are JSON in the API's own shape, and say which request it was. */
function refusals() {
  const shaped = (response, status, code) =>
    response.status === status && (json(response).error || {}).code === code && !!response.headers['X-Request-Id'];
  const unknown = get('/no/such/path');
  expect('unknown path: 404 in the API\'s shape', shaped(unknown, 404, 'not_found'), unknown);
  const control = post('/sleep', {});
  expect('control endpoint: 403 in the API\'s shape', shaped(control, 403, 'control_endpoint'), control);
  const method = get('/v1/chat/completions');
  expect('wrong method: 405 with Allow', shaped(method, 405, 'method_not_allowed') && !!method.headers.Allow, method);
  const model = post('/v1/chat/completions', { model: 'no-such-model', messages: [{ role: 'user', content: 'hi' }] });
  expect('unknown model: 404 with an error', model.status === 404 && !!json(model).error, model);
}

export const handleSummary = summary('smoke');

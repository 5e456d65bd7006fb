// The four APIs that make text: where each is, what it wants, and how its streams look.

import exec from 'k6/execution';
import { BASE, MODEL, OUTPUT_TOKENS, PROMPT_TOKENS, SHARED_TOKENS, TIMEOUT, headers } from './env.js';
import { prompt } from './prompts.js';

const text = (value) => typeof value === 'string' && value !== '';

export const KINDS = {
  chat: {
    path: '/v1/chat/completions',
    body: (words, tokens) => ({ messages: [{ role: 'user', content: words }], max_tokens: tokens }),
    isEnd: (name, data) => data === '[DONE]',
    // A role without content comes with the first token; finish_reason alone is no token.
    isToken: (name, json) => {
      const delta = json.choices && json.choices[0] && json.choices[0].delta;
      return !!delta && ([delta.content, delta.reasoning, delta.reasoning_content].some(text) || !!delta.tool_calls);
    },
    isAnswer: (json) => Array.isArray(json.choices) && json.choices.length > 0,
  },
  completions: {
    path: '/v1/completions',
    body: (words, tokens) => ({ prompt: words, max_tokens: tokens }),
    isEnd: (name, data) => data === '[DONE]',
    isToken: (name, json) => !!json.choices && !!json.choices[0] && text(json.choices[0].text),
    isAnswer: (json) => Array.isArray(json.choices) && json.choices.length > 0,
  },
  responses: {
    path: '/v1/responses',
    body: (words, tokens) => ({ input: words, max_output_tokens: tokens }),
    // A response that ended at its token limit says so with an event of its own, if the server has one.
    isEnd: (name) => name === 'response.completed' || name === 'response.incomplete',
    isToken: (name) => /^response\..*\.delta$/.test(name),
    isAnswer: (json) => Array.isArray(json.output),
  },
  messages: {
    path: '/v1/messages',
    body: (words, tokens) => ({ messages: [{ role: 'user', content: words }], max_tokens: tokens }),
    isEnd: (name) => name === 'message_stop',
    isToken: (name) => name === 'content_block_delta',
    isAnswer: (json) => Array.isArray(json.content),
  },
};

/** The kinds to take turns with: KINDS=chat,messages in the environment, or the fallback. */
export function kindsFrom(fallback) {
  const kinds = (__ENV.KINDS || fallback).split(',');
  kinds.forEach((kind) => {
    if (!KINDS[kind]) {
      throw new Error(`KINDS: want some of ${Object.keys(KINDS).join(',')}, got ${kind}`);
    }
  });
  return kinds;
}

// Each virtual user has a copy of its own.
let sent = 0;

/** The request's id in Penstock's access log: unique over runs, and known also if no answer comes. */
function requestId() {
  sent++;
  return `k6-${exec.scenario.startTime.toString(36)}-${exec.vu.idInTest}-${sent}`;
}

/**
 * One request, ready to be sent.
 *
 * @param kind a key of KINDS
 * @param number which prompt
 * @param stream whether the answer comes as a stream
 * @param tags tags for its metrics
 */
export function call(kind, number, stream, tags) {
  const id = requestId();
  const words = prompt(number, PROMPT_TOKENS, SHARED_TOKENS);
  return {
    kind,
    stream,
    id,
    url: BASE + KINDS[kind].path,
    body: JSON.stringify(Object.assign({ model: MODEL, stream }, KINDS[kind].body(words, OUTPUT_TOKENS))),
    headers: Object.assign(headers(), { 'X-Request-Id': id }),
    timeout: TIMEOUT,
    tags: Object.assign({ kind, name: KINDS[kind].path }, tags),
  };
}

// Prompts of a given size. The same number gives the same prompt in every run, and no two numbers the same one, so
// that a prefix cache helps only as much as SHARED_TOKENS says.

const WORDS = ('river gate stone wheel mill water flow bank reed weir pond bridge valve pipe pump lock dam creek basin' +
  ' stream source spring canal ditch tide shore delta marsh ford rapid').split(' ');

// Four letters and a space are about one token for a real tokenizer, and count as a little more for the simulator.
const WORDS_PER_TOKEN = 0.8;

function words(count, seed) {
  let state = (seed * 2654435761 + 1013904223) >>> 0;
  const chosen = [];
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    chosen.push(WORDS[(state >>> 16) % WORDS.length]);
  }
  return chosen.join(' ');
}

/**
 * A prompt of about this many tokens.
 *
 * @param number which one; a different number gives a different prompt
 * @param tokens its length
 * @param shared how many tokens at its beginning are the same for all
 */
export function prompt(number, tokens, shared) {
  const common = Math.min(shared || 0, tokens);
  const own = Math.max(1, Math.round((tokens - common) * WORDS_PER_TOKEN));
  const prefix = common > 0 ? words(Math.round(common * WORDS_PER_TOKEN), 0) + ' ' : '';
  // The number stands where the shared part ends: whatever follows it is cached by nobody.
  return `${prefix}${number} ${words(own, number + 1)}`;
}

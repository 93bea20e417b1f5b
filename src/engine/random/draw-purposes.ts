// What training draws at random, and for what: purposes keep the draws of one seed apart. The draws themselves are the
// engine's (counter-based: no state, no order). Nothing in training uses Math.random or timing.

/** First counter of every draw in this room. */
export const PURPOSE = {
  split: 1,
  shuffle: 2,
  augment: 3,
  weights: 4,
  golden: 5,
  sample: 6,
  familiarity: 7,
} as const

/** A counter from a text (FNV-1a), for draws that belong to a file or a patient and not to a place in a list. */
export function counterOf(text: string): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}

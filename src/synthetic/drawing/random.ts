// Counter-based random numbers: every value is a pure function of (seed, keys, counter), so an image does not depend on
// which others were drawn before it. Owns no anatomy; not for secrets.

export interface Random {
  /** Uniform in [0, 1). */
  uniform(): number
  between(low: number, high: number): number
  /** Normal by Box-Muller, cut at three deviations so that no anatomy leaves its range. */
  normal(mean: number, deviation: number): number
  chance(probability: number): boolean
  /** Whole number, both ends included. */
  integer(low: number, high: number): number
  /** -1 or 1. */
  sign(): -1 | 1
  pick<T>(list: readonly [T, ...T[]]): T
  /** An independent stream; draws from it leave this one where it is. */
  fork(...keys: readonly (string | number)[]): Random
}

/** The 32-bit finaliser of MurmurHash3 (Appleby, public domain): every input bit reaches every output bit. */
function scramble(value: number): number {
  let h = value | 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}

function absorb(state: number, key: string | number): number {
  const text = typeof key === 'number' ? `#${key}` : key
  let h = state
  for (let i = 0; i < text.length; i++) h = scramble(Math.imul(h, 31) + text.charCodeAt(i))
  return scramble(h ^ text.length)
}

export function createRandom(seed: number, ...keys: readonly (string | number)[]): Random {
  const all = [seed, ...keys]
  return stream(all.reduce<number>(absorb, 0x243f6a88), all.reduce<number>(absorb, 0x13198a2e))
}

function stream(low: number, high: number): Random {
  let counter = 0

  function uniform(): number {
    const word = scramble(low ^ Math.imul(++counter, 0x9e3779b1))
    return (scramble(word + high) >>> 0) / 0x1_0000_0000
  }

  const between = (from: number, to: number) => from + (to - from) * uniform()

  return {
    uniform,
    between,
    normal(mean, deviation) {
      const radius = Math.sqrt(-2 * Math.log(1 - uniform()))
      const value = radius * Math.cos(2 * Math.PI * uniform())
      return mean + deviation * Math.max(-3, Math.min(3, value))
    },
    chance: (probability) => uniform() < probability,
    integer: (from, to) => from + Math.floor(uniform() * (to - from + 1)),
    sign: () => (uniform() < 0.5 ? -1 : 1),
    pick: (list) => list[Math.floor(uniform() * list.length)] ?? list[0],
    fork: (...keys) =>
      stream(keys.reduce<number>(absorb, low), keys.reduce<number>(absorb, scramble(high))),
  }
}

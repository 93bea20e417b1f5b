// Random numbers that depend only on a seed and counters (step, layer, index), never on what was drawn before:
// a resumed training draws exactly what an uninterrupted one would. Imports nothing.

/** Avalanche of 32 bits (the finaliser "lowbias32" of Chris Wellons' hash prospector). */
function mix(value: number): number {
  let x = value | 0
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d)
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b)
  return x ^ (x >>> 16)
}

/** Folds a seed and counters into one 32-bit key; order matters. */
function keyOf(seed: number, counters: readonly number[]): number {
  let key = mix(seed ^ 0x9e3779b9)
  key = mix(key + Math.floor(seed / 2 ** 32))
  for (const counter of counters) key = mix(key + Math.imul(counter, 0x9e3779b1) + 0x85ebca6b)
  return key
}

/** Uniform in [0, 1) with 32 bits of resolution. Seed and counters are integers. */
export function uniformAt(seed: number, ...counters: readonly number[]): number {
  return (mix(keyOf(seed, counters)) >>> 0) / 2 ** 32
}

/** `length` numbers uniform in [0, 1): number i is that of the counters followed by i. */
export function uniforms(
  length: number,
  seed: number,
  ...counters: readonly number[]
): Float32Array {
  const key = keyOf(seed, counters)
  const values = new Float32Array(length)
  for (let i = 0; i < length; i++) {
    const bits = mix(mix(key + Math.imul(i, 0x9e3779b1) + 0x85ebca6b)) >>> 8
    values[i] = bits / 2 ** 24
  }
  return values
}

/** The numbers 0..length-1 in a random order (Fisher-Yates). */
export function shuffledIndices(
  length: number,
  seed: number,
  ...counters: readonly number[]
): Uint32Array {
  const order = Uint32Array.from({ length }, (_, i) => i)
  for (let i = length - 1; i > 0; i--) {
    const j = Math.floor(uniformAt(seed, ...counters, i) * (i + 1))
    const swap = order[i] ?? 0
    order[i] = order[j] ?? 0
    order[j] = swap
  }
  return order
}

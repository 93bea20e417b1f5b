// Damage to files that is the same on every run: bytes changed, cut, repeated, lengths made extreme.

export type Random = () => number

/** Mulberry32: 0 to 1. */
export function seeded(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const EXTREME = [0, 1, 0x7f, 0x80, 0xff]

/** A damaged copy. Half of the damage falls into the first 1,200 bytes, where a header is. */
export function mutated(bytes: Uint8Array, random: Random): Buffer {
  let copy = Buffer.from(bytes)
  const below = (limit: number) => Math.floor(random() * limit)
  const place = () => below(random() < 0.5 ? Math.min(copy.length, 1200) : copy.length)
  for (let times = 1 + below(3); times > 0 && copy.length > 8; times--) {
    switch (below(7)) {
      case 0:
        copy[place()] = below(256)
        break
      case 1: {
        const at = place()
        copy[at] = (copy[at] ?? 0) ^ (1 << below(8))
        break
      }
      case 2: {
        const at = place()
        copy.subarray(at, at + 4).fill(EXTREME[below(EXTREME.length)] as number)
        break
      }
      case 3:
        copy = copy.subarray(0, 1 + place())
        break
      case 4: {
        const [from, to] = [place(), place()]
        copy.copyWithin(to, from, from + below(64))
        break
      }
      case 5: {
        const [at, length] = [place(), below(64)]
        copy = Buffer.concat([copy.subarray(0, at), copy.subarray(at + length)])
        break
      }
      default: {
        const [at, from] = [place(), place()]
        const piece = copy.subarray(from, from + below(64))
        copy = Buffer.concat([copy.subarray(0, at), piece, copy.subarray(at)])
      }
    }
  }
  return copy
}

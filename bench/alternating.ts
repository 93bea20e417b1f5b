// Times several functions in turn, round after round, so that a noisy machine disturbs all of them alike.

export interface Contender {
  readonly name: string
  readonly run: () => Promise<unknown>
}

export interface Timing {
  readonly name: string
  readonly medianMs: number
  readonly minMs: number
}

/** Medians and minima over `rounds` alternating rounds, after one that does not count. */
export async function alternating(
  contenders: readonly Contender[],
  rounds: number,
): Promise<Timing[]> {
  const times = new Map(contenders.map(({ name }) => [name, [] as number[]]))
  for (let round = 0; round <= rounds; round++) {
    for (const { name, run } of contenders) {
      const started = performance.now()
      await run()
      if (round > 0) times.get(name)?.push(performance.now() - started)
    }
  }
  return [...times].map(([name, list]) => {
    const sorted = list.toSorted((a, b) => a - b)
    return { name, medianMs: sorted[Math.floor(sorted.length / 2)] ?? 0, minMs: sorted[0] ?? 0 }
  })
}

/** A small table: each contender's median and minimum, and its median over that of the first. */
export function table(title: string, timings: readonly Timing[]): string {
  const first = timings[0]?.medianMs ?? 1
  const rows = timings.map(({ name, medianMs, minMs }) =>
    [
      name.padEnd(48),
      `${medianMs.toFixed(1)} ms`.padStart(12),
      `min ${minMs.toFixed(1)}`.padStart(12),
      `${(medianMs / first).toFixed(3)} x`.padStart(10),
    ].join(''),
  )
  return [title, ...rows].join('\n')
}

// Counters and gauges in the Prometheus text format 0.0.4. Small on purpose: counters, one histogram shape, gauges read on demand.
// Label values are ids of ours and route patterns, never anything a client wrote freely.

type Labels = Readonly<Record<string, string | number>>

/** Seconds; from a cached page to an occlusion map on a slow machine. */
const BUCKETS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const

interface Histogram {
  readonly labels: Labels
  readonly counts: number[]
  sum: number
  count: number
}

interface Family {
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
}

export interface Gauge {
  readonly name: string
  readonly help: string
  readonly samples: readonly { readonly labels: Labels; readonly value: number }[]
}

export class Metrics {
  readonly #families = new Map<string, Family>()
  readonly #counters = new Map<string, Map<string, { labels: Labels; value: number }>>()
  readonly #histograms = new Map<string, Map<string, Histogram>>()

  count(name: string, help: string, labels: Labels): void {
    const family = this.#family(this.#counters, name, { help, type: 'counter' })
    const key = labelText(labels)
    const counter = family.get(key) ?? { labels, value: 0 }
    counter.value += 1
    family.set(key, counter)
  }

  observe(name: string, help: string, sample: { labels: Labels; seconds: number }): void {
    const family = this.#family(this.#histograms, name, { help, type: 'histogram' })
    const key = labelText(sample.labels)
    const histogram = family.get(key) ?? {
      labels: sample.labels,
      counts: BUCKETS.map(() => 0),
      sum: 0,
      count: 0,
    }
    BUCKETS.forEach((bound, i) => {
      if (sample.seconds <= bound) histogram.counts[i] = (histogram.counts[i] ?? 0) + 1
    })
    histogram.sum += sample.seconds
    histogram.count += 1
    family.set(key, histogram)
  }

  /** The whole exposition; `gauges` are read by the caller at this moment. */
  text(gauges: readonly Gauge[]): string {
    const lines: string[] = []
    const head = (name: string, family: Family): void => {
      lines.push(`# HELP ${name} ${family.help}`, `# TYPE ${name} ${family.type}`)
    }
    for (const [name, family] of this.#counters) {
      head(name, this.#describe(name))
      for (const { labels, value } of family.values()) lines.push(sampleLine(name, labels, value))
    }
    for (const [name, family] of this.#histograms) {
      head(name, this.#describe(name))
      for (const histogram of family.values()) lines.push(...histogramLines(name, histogram))
    }
    for (const { name, help, samples } of gauges) {
      head(name, { help, type: 'gauge' })
      for (const { labels, value } of samples) lines.push(sampleLine(name, labels, value))
    }
    return `${lines.join('\n')}\n`
  }

  #family<T>(families: Map<string, Map<string, T>>, name: string, family: Family): Map<string, T> {
    const existing = families.get(name)
    if (existing) return existing
    this.#families.set(name, family)
    const created = new Map<string, T>()
    families.set(name, created)
    return created
  }

  #describe(name: string): Family {
    return this.#families.get(name) ?? { help: name, type: 'gauge' }
  }
}

function histogramLines(name: string, histogram: Histogram): string[] {
  const { labels, counts, sum, count } = histogram
  return [
    ...BUCKETS.map((le, i) => sampleLine(`${name}_bucket`, { ...labels, le }, counts[i] ?? 0)),
    sampleLine(`${name}_bucket`, { ...labels, le: '+Inf' }, count),
    sampleLine(`${name}_sum`, labels, sum),
    sampleLine(`${name}_count`, labels, count),
  ]
}

function sampleLine(name: string, labels: Labels, value: number): string {
  return `${name}${labelText(labels)} ${value}`
}

function labelText(labels: Labels): string {
  const escapeValue = (text: string): string =>
    text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${name}="${escapeValue(String(value))}"`,
  )
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

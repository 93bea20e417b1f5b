// Numbers, times and digests as text. No HTML, no links.

/** A fraction 0..1 as a percentage with one decimal; never "100.0%" or "0.0%" for something that only comes near. */
export function percent(fraction: number | null | undefined): string {
  if (fraction === null || fraction === undefined) return '–'
  if (fraction > 0 && fraction < 0.001) return '<0.1%'
  if (fraction < 1 && fraction > 0.999) return '>99.9%'
  return `${(fraction * 100).toFixed(1)}%`
}

/** A model's probability 0..1. Exactly 0 or 1 is a rounded number, never certainty: `<0.1%`, `>99.9%`. */
export function probability(fraction: number | null | undefined): string {
  if (fraction === 0) return '<0.1%'
  if (fraction === 1) return '>99.9%'
  return percent(fraction)
}

/** A difference of two fractions in percentage points, with its sign. */
export function points(delta: number): string {
  const value = Math.abs(delta * 100).toFixed(1)
  const sign = value === '0.0' ? '±' : delta > 0 ? '+' : '−'
  return `${sign}${value} points`
}

/** A raw score or logit: up to four significant digits. */
export function score(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–'
  const text = Number(value.toPrecision(4)).toString()
  return text.replace('-', '−')
}

/** A fraction such as an expected calibration error, three decimals. */
export function fraction(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : value.toFixed(3)
}

export function milliseconds(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return '–'
  if (ms >= 10_000) return `${(ms / 1000).toFixed(1)} s`
  return ms >= 10 || ms === 0 ? `${Math.round(ms)} ms` : `${ms.toFixed(1)} ms`
}

export function bytes(count: number | null | undefined): string {
  if (count === null || count === undefined) return '–'
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = count
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`
}

/** `2026-11-20T18:47:03.123Z` as `2026-11-20 18:47:03 UTC`; another offset is kept as it is written. */
export function timestamp(iso: string): string {
  const match = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2})(?:\.\d+)?(Z|[+-]\d{2}:\d{2})$/.exec(iso)
  if (!match) return iso
  const [, day, time, zone = ''] = match
  return `${day} ${time} ${zone === 'Z' || zone === '+00:00' ? 'UTC' : zone}`
}

/** Seconds in words: 42 s, 3 min 20 s, 2 h 5 min. */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return '–'
  const whole = Math.max(0, Math.round(seconds))
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`
}

export function shortHash(digest: string): string {
  return digest.slice(0, 12)
}

/** "1 version", "3 versions" */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`
}

/** Names of operating points for display. */
export function operatingPointName(name: string | null): string {
  if (name === null) return 'none'
  // Youden 1950: the threshold with the largest sum of sensitivity and specificity.
  if (name === 'youden') return 'Youden (maximum sensitivity + specificity)'
  if (name === 'argmax') return 'most probable class'
  // A target is what was aimed at on the calibration images; test images can miss it.
  const target = /^(sensitivity|specificity)>=([\d.]+)$/.exec(name)
  if (target) return `aimed at ${target[1]} ≥ ${target[2]}`
  return name.replace('>=', ' ≥ ').replace('<=', ' ≤ ')
}

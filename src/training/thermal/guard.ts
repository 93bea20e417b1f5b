// Stands between two batches: lets a training wait while the machine is too hot, and rest as its duty cycle says.
// It only ever waits, so the weights are those of a training without it.
import { setTimeout as after } from 'node:timers/promises'
import type { Sensors } from './sensors.ts'
import type { Thermal } from './settings.ts'

export interface ThermalPause {
  /** ISO 8601. */
  readonly startedAt: string
  readonly seconds: number
  readonly of: 'cpu' | 'gpu'
  /** Temperature that it began at, and that it ended at (null: the sensor fell silent). */
  readonly fromCelsius: number
  readonly toCelsius: number | null
  readonly endedBy: 'cool again' | 'the sensor fell silent' | 'a person'
}

export interface GuardOptions {
  readonly settings: Thermal
  readonly sensors: Sensors
  /** Whether a person wants it to pause or end. */
  readonly isInterrupted: () => boolean
  /** A sentence when a break begins, null when it ends. */
  readonly onPause: (sentence: string | null) => void
  readonly onBreak: (one: ThermalPause) => void
  /** 2000 by default. */
  readonly checkEveryMs?: number
  /** 1000 by default. */
  readonly recheckMs?: number
}

interface Heat {
  readonly of: 'cpu' | 'gpu'
  readonly celsius: number
}

/** A duty cycle rests after so much work. */
const WORK_MS = 1000
const SLICE_MS = 100

export class ThermalGuard {
  readonly #o: GuardOptions
  #inspectedAt = Number.NEGATIVE_INFINITY
  #workedFrom = performance.now()
  #restSeconds = 0

  constructor(options: GuardOptions) {
    this.#o = options
  }

  /** Rests of the duty cycle so far, without thermal pauses. */
  get restSeconds(): number {
    return this.#restSeconds
  }

  /** @returns the seconds that it waited */
  async rest(): Promise<number> {
    const started = performance.now()
    const { checkEveryMs = 2000 } = this.#o
    if (started - this.#inspectedAt >= checkEveryMs) await this.#look()
    await this.#keepDuty()
    return (performance.now() - started) / 1000
  }

  async #look(): Promise<void> {
    const hot = await this.#hotter('pause')
    if (hot) {
      await this.#coolDown(hot)
      this.#workedFrom = performance.now()
    }
    this.#inspectedAt = performance.now()
  }

  async #coolDown(hot: Heat): Promise<void> {
    const { settings, isInterrupted, onPause, onBreak, recheckMs = 1000 } = this.#o
    const startedAt = new Date().toISOString()
    const started = performance.now()
    const seconds = (): number => (performance.now() - started) / 1000
    onPause(sentenceOf(hot, settings))
    let still: Heat | undefined = hot
    while (!isInterrupted() && (still || seconds() < settings.minBreakSeconds)) {
      await after(recheckMs)
      still = await this.#hotter('resume')
    }
    const toCelsius = (await this.#o.sensors.read())[hot.of]
    onBreak({
      startedAt,
      seconds: seconds(),
      of: hot.of,
      fromCelsius: hot.celsius,
      toCelsius,
      endedBy: endOf({ interrupted: isInterrupted(), toCelsius }),
    })
    onPause(null)
  }

  /** What is above the threshold, if anything is. */
  async #hotter(threshold: 'pause' | 'resume'): Promise<Heat | undefined> {
    const { settings: s, sensors } = this.#o
    const reading = await sensors.read()
    const limits = {
      cpu: limitOf(threshold, s.pauseAboveCelsius, s.resumeBelowCelsius),
      gpu: limitOf(threshold, s.gpuPauseAboveCelsius, s.gpuResumeBelowCelsius),
    }
    for (const part of ['cpu', 'gpu'] as const) {
      const [celsius, limit] = [reading[part], limits[part]]
      if (celsius !== null && limit !== null && celsius >= limit) return { of: part, celsius }
    }
    return undefined
  }

  async #keepDuty(): Promise<void> {
    const { dutyCycle } = this.#o.settings
    const worked = performance.now() - this.#workedFrom
    if (dutyCycle >= 1 || worked < WORK_MS) return
    const started = performance.now()
    const owed = (worked * (1 - dutyCycle)) / dutyCycle
    while (!this.#o.isInterrupted() && performance.now() - started < owed) {
      await after(Math.min(SLICE_MS, owed))
    }
    this.#restSeconds += (performance.now() - started) / 1000
    this.#workedFrom = performance.now()
  }
}

function limitOf(
  threshold: 'pause' | 'resume',
  above: number | null,
  below: number,
): number | null {
  return above === null || threshold === 'pause' ? above : below
}

function endOf(o: { readonly interrupted: boolean; readonly toCelsius: number | null }) {
  if (o.interrupted) return 'a person'
  return o.toCelsius === null ? 'the sensor fell silent' : 'cool again'
}

function sentenceOf({ of, celsius }: Heat, s: Thermal): string {
  const [name, below] =
    of === 'cpu' ? ['processor', s.resumeBelowCelsius] : ['graphics card', s.gpuResumeBelowCelsius]
  return `Thermal pause: the ${name} is at ${Math.round(celsius)} °C; training resumes below ${below} °C.`
}

// Watches a training from inside its process: resources every two seconds, heat between batches. What it saw goes to the run's
// page while it lasts and into the record of the package at the end.
import os from 'node:os'
import { join } from 'node:path'
import type { TrainingMessage, TrainingPhase } from '../job.ts'
import type { Control } from '../loop/control.ts'
import { ThermalGuard } from '../thermal/guard.ts'
import { GpuWatch } from '../thermal/nvidia-smi.ts'
import { openSensors, type Reading, type Sensor, type Sensors } from '../thermal/sensors.ts'
import type { Thermal } from '../thermal/settings.ts'
import { Journal, type JournalRecord } from './journal.ts'
import { LoadMeter } from './load-meter.ts'

export interface TelemetryOptions {
  readonly workDir: string
  readonly resume: boolean
  readonly thermal: Thermal
  readonly threads: number
  /** As /sys. */
  readonly sensorsDir: string
  readonly control: Control
  readonly report: (message: TrainingMessage) => void
  /** 2000 by default; tests are less patient. */
  readonly everyMs?: number
}

/** What was seen, for the record. */
export interface Observed extends JournalRecord {
  readonly thermal: Thermal
  readonly threads: number
  readonly sensors: readonly Sensor[]
  readonly gpus: Reading['gpus']
  readonly everySeconds: number
  readonly restSeconds: number
}

const NO_SENSOR =
  'This machine shows no temperature sensor, so a training cannot pause for heat; the duty cycle and the number of threads hold all the same.'
const EVERY_MS = 2000
/** Thermal pauses tell something of the time that is left only after so much work. */
const TELLING_SECONDS = 300

export class RunTelemetry {
  readonly #o: TelemetryOptions
  readonly #sensors: Sensors
  readonly #journal: Journal
  readonly #guard: ThermalGuard
  readonly #meter = new LoadMeter()
  #gpus: Reading['gpus'] = []
  #phase: TrainingPhase = 'preparing'
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> | undefined
  #thermal: string | null = null
  #breaks = 0
  #lostSeconds = 0
  #seconds = 0
  #breakSeconds = 0
  #restedBefore = 0

  private constructor(options: TelemetryOptions, sensors: Sensors) {
    this.#o = options
    this.#sensors = sensors
    this.#journal = new Journal(join(options.workDir, 'observed.jsonl'), options)
    this.#breaks = this.#journal.record().breaks.length
    const { everyMs = EVERY_MS } = options
    this.#guard = new ThermalGuard({
      settings: options.thermal,
      sensors,
      isInterrupted: () => options.control.wish !== 'go on',
      onPause: (sentence) => this.#cool(sentence),
      onBreak: (one) => {
        this.#breaks += 1
        this.#breakSeconds += one.seconds
        this.#journal.add({ type: 'break', ...one })
      },
      checkEveryMs: everyMs,
      recheckMs: everyMs / 2,
    })
  }

  /** Begins to watch, and says what cannot be watched. */
  static async start(options: TelemetryOptions): Promise<RunTelemetry> {
    const sensors = await openSensors({ root: options.sensorsDir, gpus: new GpuWatch() })
    if (sensors.list.length === 0) options.report({ type: 'log', text: NO_SENSOR })
    const observer = new RunTelemetry(options, sensors)
    const { everyMs = EVERY_MS } = options
    observer.#timer = setInterval(() => void observer.#look(), everyMs).unref()
    return observer
  }

  enter(phase: TrainingPhase): void {
    void this.#look()
    this.#phase = phase
  }

  /** To be called between two batches. @returns the seconds that it waited */
  async rest(): Promise<number> {
    const seconds = await this.#guard.rest()
    this.#lostSeconds += seconds
    return seconds
  }

  /** Times that are left are told with the rests that go with them. */
  withRests(message: TrainingMessage): TrainingMessage {
    if (message.type !== 'batch' && message.type !== 'epoch') return message
    if (message.etaSeconds === null) return message
    const duty = 1 / this.#o.thermal.dutyCycle
    const worked = this.#seconds - this.#breakSeconds
    const breaks = worked < TELLING_SECONDS ? 1 : this.#seconds / worked
    return { ...message, etaSeconds: message.etaSeconds * duty * breaks }
  }

  /** What was seen until now. */
  async observed(): Promise<Observed> {
    await this.#look()
    const record = this.#journal.record()
    return {
      ...record,
      thermal: this.#o.thermal,
      threads: this.#o.threads,
      sensors: this.#sensors.list,
      gpus: this.#gpus,
      everySeconds: (this.#o.everyMs ?? EVERY_MS) / 1000,
      restSeconds: record.samples.reduce((sum, one) => sum + one.restSeconds, 0),
    }
  }

  /** Twice is safe. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#looking
  }

  /** One at a time. */
  #look(): Promise<void> {
    this.#looking ??= this.#sample().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  async #sample(): Promise<void> {
    const phase = this.#phase
    const reading = await this.#sensors.read()
    this.#gpus = reading.gpus
    const load = this.#meter.read()
    const memoryBytes = process.memoryUsage.rss()
    const rested = this.#guard.restSeconds
    const [gpu] = reading.gpus
    this.#seconds += load.seconds
    this.#journal.add({
      type: 'sample',
      at: new Date().toISOString(),
      ...load,
      phase,
      memoryBytes,
      freeMemoryBytes: os.freemem(),
      loadAverage: os.loadavg()[0] ?? 0,
      cpuCelsius: reading.cpu,
      gpuCelsius: reading.gpu,
      gpuUtilisation: gpu?.utilisation ?? null,
      gpuMemoryBytes: gpu?.memoryBytes ?? null,
      restSeconds: rested - this.#restedBefore,
      isPaused: this.#thermal !== null,
    })
    this.#restedBefore = rested
    this.#tell({ memoryBytes, cpuCores: load.cpuCores, reading })
  }

  #tell(o: {
    readonly memoryBytes: number
    readonly cpuCores: number
    readonly reading: Reading
  }): void {
    const { user, system } = process.cpuUsage()
    this.#o.report({
      type: 'resources',
      memoryBytes: o.memoryBytes,
      cpuSeconds: (user + system) / 1e6,
      use: {
        cpuCores: o.cpuCores,
        targetCores: this.#o.threads * this.#o.thermal.dutyCycle,
        sensors: this.#sensors.list.length,
        cpuCelsius: o.reading.cpu,
        gpuCelsius: o.reading.gpu,
        breaks: this.#breaks,
        lostSeconds: this.#lostSeconds,
      },
    })
  }

  #cool(sentence: string | null): void {
    this.#thermal = sentence
    this.#o.report({ type: 'thermal', sentence })
    this.#o.report({
      type: 'log',
      text: sentence ?? `The thermal pause is over (${this.#breaks} so far).`,
    })
  }
}

// What was observed of a run, line by line in its work folder, so that a resumed run still knows of its earlier parts.
import { appendFileSync, readFileSync, rmSync } from 'node:fs'
import type { TrainingPhase } from '../job.ts'
import type { ThermalPause } from '../thermal/guard.ts'

/** One look at the process and the machine, and what happened since the one before it. */
export interface Sample {
  /** ISO 8601. */
  readonly at: string
  /** Since the last look. */
  readonly seconds: number
  readonly phase: TrainingPhase
  /** Processors that this process kept busy, on average. */
  readonly cpuCores: number
  /** Busy share of all processors of the machine. */
  readonly systemCpu: number
  /** Of this process (resident set). */
  readonly memoryBytes: number
  /** Of the machine. */
  readonly freeMemoryBytes: number
  readonly loadAverage: number
  readonly cpuCelsius: number | null
  readonly gpuCelsius: number | null
  readonly gpuUtilisation: number | null
  readonly gpuMemoryBytes: number | null
  /** Waited for the duty cycle, and in thermal pauses or pauses. */
  readonly restSeconds: number
  readonly isPaused: boolean
}

type Line =
  | { readonly type: 'start'; readonly at: string }
  | ({ readonly type: 'sample' } & Sample)
  | ({ readonly type: 'break' } & ThermalPause)

export interface JournalRecord {
  /** When it was started, and each time that it was resumed. */
  readonly starts: readonly string[]
  readonly samples: readonly Sample[]
  readonly breaks: readonly ThermalPause[]
}

export class Journal {
  readonly #path: string
  readonly #lines: Line[]

  /** Goes on with what lies there when the run is resumed, else begins anew. */
  constructor(path: string, { resume }: { readonly resume: boolean }) {
    this.#path = path
    if (!resume) rmSync(path, { force: true })
    this.#lines = resume ? earlierLines(path) : []
    // What a killed process left may end in half a line.
    if (resume) this.#append('\n')
    this.add({ type: 'start', at: new Date().toISOString() })
  }

  add(line: Line): void {
    this.#lines.push(line)
    this.#append(`${JSON.stringify(line)}\n`)
  }

  #append(text: string): void {
    try {
      appendFileSync(this.#path, text)
    } catch {
      // A full disk ends the training elsewhere, with a sentence; observing it does not.
    }
  }

  record(): JournalRecord {
    const starts: string[] = []
    const samples: Sample[] = []
    const breaks: ThermalPause[] = []
    for (const { type, ...line } of this.#lines) {
      if (type === 'start') starts.push((line as { at: string }).at)
      else if (type === 'sample') samples.push(line as Sample)
      else breaks.push(line as ThermalPause)
    }
    return { starts, samples, breaks }
  }
}

/** A process that was killed may have left half a line. */
function earlierLines(path: string): Line[] {
  let text = ''
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    return []
  }
  return text.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line) as Line]
    } catch {
      return []
    }
  })
}

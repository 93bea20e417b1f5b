// How warm a machine may get and how much of it a training may take. Nothing of it changes the weights: a training that
// rests computes the same numbers later. The number of threads is fixed at the start and never changed in mid-run.
import { z } from 'zod'
import type { ThermalConfig } from '../../config.ts'
import { AppError } from '../../errors.ts'
import { setting } from '../setting-fields.ts'

const MIN_BREAK_SECONDS = 20

const celsius = z.number().min(20).max(120)
const declared = { group: 'thermal', unit: '°C', otherwise: 'as the server is set' } as const

export const ThermalSchema = z.strictObject({
  /** null never pauses for it. */
  pauseAboveCelsius: setting(celsius.nullable(), {
    label: 'CPU: pause at',
    hint: 'Training pauses when the processor reaches this temperature.',
    option: 'pause-above',
    ...declared,
  }),
  resumeBelowCelsius: setting(celsius, {
    label: 'CPU: resume below',
    hint: 'Training resumes when the processor is cooler than this.',
    option: 'resume-below',
    ...declared,
  }),
  gpuPauseAboveCelsius: setting(celsius.nullable(), {
    label: 'GPU: pause at',
    hint: 'Training pauses when the graphics card reaches this temperature.',
    option: 'gpu-pause-above',
    ...declared,
  }),
  gpuResumeBelowCelsius: setting(celsius, {
    label: 'GPU: resume below',
    hint: 'Training resumes when the graphics card is cooler than this.',
    option: 'gpu-resume-below',
    ...declared,
  }),
  minBreakSeconds: setting(z.number().min(0).max(3600), {
    label: 'Shortest thermal pause',
    hint: 'A pause lasts at least this long.',
    ...declared,
    unit: 's',
    otherwise: `${MIN_BREAK_SECONDS}`,
  }),
  dutyCycle: setting(z.number().min(0.1).max(1), {
    label: 'Duty cycle',
    hint: 'Percentage of the time spent computing; at 75% it computes 3 s, then idles 1 s.',
    isPercent: true,
    option: 'duty-cycle',
    ...declared,
    unit: '%',
  }),
  /** null takes what the server gives. */
  threads: setting(z.int().min(1).max(1024).nullable(), {
    label: 'CPU threads, at most',
    hint: 'Fixed when the run starts.',
    option: 'threads',
    group: 'thermal',
    otherwise: 'as the server is set',
  }),
})
export type Thermal = Readonly<z.infer<typeof ThermalSchema>>
/** What a caller may give; the rest is the server's default. */
export const GivenThermalSchema = ThermalSchema.partial().superRefine((given, context) => {
  for (const [pause, resume] of PAIRS) {
    const [above, below] = [given[pause], given[resume]]
    if (above == null || below === undefined || below < above) continue
    const message = `must be lower than the ${above} °C at which training pauses`
    context.addIssue({ code: 'custom', path: [resume], message })
  }
})
export type GivenThermal = Readonly<z.input<typeof GivenThermalSchema>>

/** As requests, kept runs and packages of earlier releases have it. */
const FORMER_NAMES: Readonly<Record<string, string>> = {
  goOnBelowCelsius: 'resumeBelowCelsius',
  gpuGoOnBelowCelsius: 'gpuResumeBelowCelsius',
  leastBreakSeconds: 'minBreakSeconds',
}

/** With the present names. Where both are given the former stays, so that the schema refuses it. */
export function withThermalNames(given: unknown): unknown {
  if (given === null || typeof given !== 'object') return given
  const entries = Object.entries(given).map(([name, value]) => {
    const current = FORMER_NAMES[name]
    return [current !== undefined && !(current in given) ? current : name, value] as const
  })
  return Object.fromEntries(entries)
}

const PAIRS = [
  ['pauseAboveCelsius', 'resumeBelowCelsius'],
  ['gpuPauseAboveCelsius', 'gpuResumeBelowCelsius'],
] as const

/** Between two thresholds of which only one was chosen. */
const APART_CELSIUS = 10

/** The caller's values over the server's defaults. @throws AppError `invalid` naming the field */
export function completeThermal(given: GivenThermal, defaults: ThermalConfig): Thermal {
  const parsed = GivenThermalSchema.safeParse(withThermalNames(given))
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw new AppError(
      'invalid',
      `The hyperparameter "thermal.${issue?.path.join('.') ?? ''}" is wrong: ${issue?.message ?? 'not as expected'}.`,
    )
  }
  const { sensorsDir: _, ...usual } = defaults
  const thermal: Thermal = {
    ...usual,
    minBreakSeconds: MIN_BREAK_SECONDS,
    ...definedOf(parsed.data),
  }
  return {
    ...thermal,
    ...apart(thermal, parsed.data, PAIRS[0]),
    ...apart(thermal, parsed.data, PAIRS[1]),
  }
}

/** Where one threshold was chosen past the other's default, the other moves; of two defaults the lower one. */
function apart(
  thermal: Thermal,
  given: GivenThermal,
  [pause, resume]: (typeof PAIRS)[number],
): Partial<Thermal> {
  const [above, below] = [thermal[pause], thermal[resume]]
  if (above === null || below < above) return {}
  return given[pause] === undefined && given[resume] !== undefined
    ? { [pause]: below + APART_CELSIUS }
    : { [resume]: above - APART_CELSIUS }
}

function definedOf<T extends object>(given: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(given).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> }
}

// How warm a machine may get and how much of it a training may take. Nothing of it changes the weights: a training that
// rests computes the same numbers later. The number of threads is fixed at the start and never changed in mid-run.
import { z } from 'zod'
import type { CoolingConfig } from '../../config.ts'
import { AppError } from '../../errors.ts'

const celsius = z.number().min(20).max(120)

export const CoolingSchema = z.strictObject({
  /** Of the processor: a cooling break begins at this temperature; null never pauses for it. */
  pauseAboveCelsius: celsius.nullable(),
  goOnBelowCelsius: celsius,
  gpuPauseAboveCelsius: celsius.nullable(),
  gpuGoOnBelowCelsius: celsius,
  /** A cooling break lasts at least so long. */
  leastBreakSeconds: z.number().min(0).max(3600),
  /** Share of the time that is computed; 0.75 rests a second after every three. */
  dutyCycle: z.number().min(0.1).max(1),
  /** At most so many; null takes what the server gives. */
  threads: z.int().min(1).max(1024).nullable(),
})
export type Cooling = Readonly<z.infer<typeof CoolingSchema>>
/** What a caller may give; the rest is the server's default. */
export const GivenCoolingSchema = CoolingSchema.partial().superRefine((given, context) => {
  for (const [pause, goOn] of PAIRS) {
    const [above, below] = [given[pause], given[goOn]]
    if (above == null || below === undefined || below < above) continue
    const message = `a training goes on below a temperature lower than the ${above} °C at which it pauses`
    context.addIssue({ code: 'custom', path: [goOn], message })
  }
})
export type GivenCooling = Readonly<z.input<typeof GivenCoolingSchema>>

const PAIRS = [
  ['pauseAboveCelsius', 'goOnBelowCelsius'],
  ['gpuPauseAboveCelsius', 'gpuGoOnBelowCelsius'],
] as const

const MIN_BREAK_SECONDS = 20
/** Between two thresholds of which only one was chosen. */
const APART_CELSIUS = 10

/** The caller's wishes over the server's defaults. @throws AppError `invalid` naming the field */
export function completeCooling(given: GivenCooling, defaults: CoolingConfig): Cooling {
  const parsed = GivenCoolingSchema.safeParse(given)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw new AppError(
      'invalid',
      `The hyperparameter "cooling.${issue?.path.join('.') ?? ''}" is wrong: ${issue?.message ?? 'not as expected'}.`,
    )
  }
  const { sensorsDir: _, ...usual } = defaults
  const cooling: Cooling = {
    ...usual,
    leastBreakSeconds: MIN_BREAK_SECONDS,
    ...definedOf(parsed.data),
  }
  return { ...cooling, ...apart(cooling, given, PAIRS[0]), ...apart(cooling, given, PAIRS[1]) }
}

/** Where one threshold was chosen past the other's default, the other moves; of two defaults the lower one. */
function apart(
  cooling: Cooling,
  given: GivenCooling,
  [pause, goOn]: (typeof PAIRS)[number],
): Partial<Cooling> {
  const [above, below] = [cooling[pause], cooling[goOn]]
  if (above === null || below < above) return {}
  return given[pause] === undefined && given[goOn] !== undefined
    ? { [pause]: below + APART_CELSIUS }
    : { [goOn]: above - APART_CELSIUS }
}

function definedOf<T extends object>(given: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(given).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> }
}

// Settings of a training as options of a command; `--set name=value` gives any by its name, as configs/train.json has it.
import { AppError } from '../../errors.ts'
import type { GivenHyperparameters } from '../../training/settings.ts'
import { settingsOf } from './setting-options.ts'

/** Beside those of its own settings, see setting-options.ts. */
export interface GivenSettings {
  readonly set?: readonly string[]
}

/** @throws AppError `invalid` */
export function hyperparametersOf(options: GivenSettings): GivenHyperparameters {
  return { ...givenSettings(options.set), ...settingsOf({ ...options }) }
}

/** Numbers, true, false, null and JSON as such, anything else as text. @throws AppError `invalid` */
export function givenSettings(given: readonly string[] = []): Record<string, unknown> {
  return Object.fromEntries(
    given.map((text) => {
      const at = text.indexOf('=')
      if (at < 1) {
        throw new AppError(
          'invalid',
          `"${text.slice(0, 80)}" is not a setting; write it as name=value, e.g. --set optimizer=sgd.`,
        )
      }
      return [text.slice(0, at).trim(), parsed(text.slice(at + 1).trim())]
    }),
  )
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

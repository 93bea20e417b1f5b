// Settings of a training as options of a command; `--set name=value` gives any by its name, as configs/train.json has it.
import { AppError } from '../../errors.ts'
import type { GivenHyperparameters } from '../../training/settings.ts'
import { type CoolingOptions, coolingOf } from './thermal-options.ts'

export interface GivenSettings extends CoolingOptions {
  readonly epochs?: number
  readonly batchSize?: number
  readonly learningRate?: string
  readonly imageSize?: number
  readonly seed?: number
  readonly weights?: string
  readonly int8?: true
  readonly set?: readonly string[]
}

/** @throws AppError `invalid` */
export function hyperparametersOf(options: GivenSettings): GivenHyperparameters {
  const { epochs, batchSize, imageSize, seed, learningRate } = options
  const cooling = coolingOf(options)
  return {
    ...givenSettings(options.set),
    ...(epochs !== undefined && { epochs }),
    ...(batchSize !== undefined && { batchSize }),
    ...(imageSize !== undefined && { imageSize }),
    ...(seed !== undefined && { seed }),
    ...(learningRate !== undefined && { learningRate: Number(learningRate) }),
    ...(options.weights !== undefined && { weights: options.weights }),
    ...(options.int8 && { int8: true }),
    ...(cooling && { cooling }),
  }
}

/** Numbers, true, false, null and JSON as such, anything else as text. @throws AppError `invalid` */
export function givenSettings(given: readonly string[] = []): Record<string, unknown> {
  return Object.fromEntries(
    given.map((text) => {
      const at = text.indexOf('=')
      if (at < 1) {
        throw new AppError(
          'invalid',
          `"${text.slice(0, 80)}" is no setting; write it as name=value, e.g. --set optimizer=sgd.`,
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

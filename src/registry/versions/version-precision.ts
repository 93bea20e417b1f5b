// A version in one of its precisions: which it has, which is asked for, and what it says then.
import { AppError } from '../../errors.ts'
import type { Precision } from '../../package/schema.ts'
import type { Version } from './versions.ts'

/** `auto`: the faster one, measured at the activation. */
export type WantedPrecision = Precision | 'auto'

/**
 * What the gate is to load: `auto` stays so only where there is something to choose.
 * @throws AppError `conflict` when the version has no graph in that precision
 */
export function wantedPrecision(
  version: Version,
  wanted: WantedPrecision = 'auto',
): WantedPrecision {
  if (wanted === 'float32' || version.int8) return wanted
  if (wanted === 'auto') return 'float32'
  throw new AppError(
    'conflict',
    `${version.id} has no graph in int8: it was not requested in training, or cost too much accuracy. ` +
      'Activate it in float32, or train it again with int8.',
    { extra: { field: 'precision' } },
  )
}

/** The version as it answers in this precision: calibration, operating points and figures are those of its graph. */
export function inPrecision(version: Version, precision: Precision): Version {
  return precision === 'int8' && version.int8 ? { ...version, ...version.int8 } : version
}

// Window centre and width, and the three functions that they are used with (PS3.3 C.11.2.1.2 and C.11.2.1.3).
import { decimals } from './attributes.ts'
import type { Attributes } from './data-set.ts'

export interface Window {
  readonly centre: number
  /** At least 1 for `linear`, else above 0. */
  readonly width: number
  readonly shape: 'linear' | 'linear-exact' | 'sigmoid'
}

/** The first window of the item, with its function in capitals; undefined when there is none, or none that means anything. */
export function findWindow(item: Attributes, shapeName: string | undefined): Window | undefined {
  const [centre] = decimals(item, 'x00281050')
  const [width] = decimals(item, 'x00281051')
  if (centre === undefined || width === undefined || width <= 0) return undefined
  const shape = shapeName?.replaceAll(/[ -]/g, '_')
  if (shape === 'SIGMOID') return { centre, width, shape: 'sigmoid' }
  // Below 1 the linear function is not defined; writers of such widths mean the exact one.
  const exact = shape === 'LINEAR_EXACT' || width < 1
  return { centre, width, shape: exact ? 'linear-exact' : 'linear' }
}

/** 0 (black) to 1 (white). */
export function windowed({ centre, width, shape }: Window, value: number): number {
  if (shape === 'sigmoid') return 1 / (1 + Math.exp((-4 * (value - centre)) / width))
  const [middle, span] = shape === 'linear' ? [centre - 0.5, width - 1] : [centre, width]
  if (value <= middle - span / 2) return 0
  if (value > middle + span / 2) return 1
  return (value - middle) / span + 0.5
}

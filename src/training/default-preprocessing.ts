// How images are made into numbers when nobody says otherwise.

import type { PixelScaling } from '../architectures/architecture.ts'
import type { Preprocessing } from '../imaging/preprocessing.ts'

/**
 * X-rays keep their proportions, for the shape of a heart is a finding. Skin is seen in colour. Values from -1 to 1 unless the
 * architecture wants others: EfficientNet scales pixels itself.
 */
export function defaultPreprocessing(o: {
  readonly bodyPart: string
  /** Side of the square, in pixels. */
  readonly side: number
  readonly channels?: 1 | 3
  readonly aspect?: Preprocessing['aspect']
  readonly interpolation?: Preprocessing['interpolation']
  readonly scaling?: PixelScaling
}): Preprocessing {
  const skin = o.bodyPart.toLowerCase().includes('skin')
  return {
    schema: 1,
    width: o.side,
    height: o.side,
    channels: o.channels ?? (skin ? 3 : 1),
    interpolation: o.interpolation ?? 'bilinear',
    aspect: o.aspect ?? 'pad',
    antialias: true,
    ...(o.scaling ?? { scale: 1 / 127.5, mean: [1], std: [1], order: 'rgb' }),
  }
}

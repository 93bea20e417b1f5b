// How images are made into numbers when nobody says otherwise.
import type { Preprocessing } from '../imaging/preprocessing.ts'

/** Values from -1 to 1; X-rays keep their proportions, for the shape of a heart is a finding. Skin is seen in colour. */
export function defaultPreprocessing(o: {
  readonly bodyPart: string
  /** Side of the square, in pixels. */
  readonly side: number
  readonly channels?: 1 | 3
}): Preprocessing {
  const skin = o.bodyPart.toLowerCase().includes('skin')
  return {
    schema: 1,
    width: o.side,
    height: o.side,
    channels: o.channels ?? (skin ? 3 : 1),
    interpolation: 'bilinear',
    aspect: 'pad',
    antialias: true,
    scale: 1 / 127.5,
    mean: [1],
    std: [1],
    order: 'rgb',
  }
}

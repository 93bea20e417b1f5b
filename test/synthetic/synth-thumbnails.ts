// What a 32x32 thumbnail knows: renders a sample of a condition and returns the area under the ROC curve of a logistic
// regression on it (one against the rest, averaged over the classes, where there are more than two).
import { getSynthCondition } from '../../src/synthetic/conditions.ts'
import { renderSynthetic } from '../../src/synthetic/drawing/render.ts'
import { areaUnderRoc, logisticScores } from '../support/logistic-regression.ts'

const SIDE = 32

export function thumbnailAuc(
  id: string,
  options: {
    readonly images: number
    readonly size: number
    readonly seed: number
    readonly penalty?: number
  },
): number {
  const { images, size, seed, penalty = 1 } = options
  const { classes } = getSynthCondition(id)
  const samples = Array.from({ length: images }, (_, n) => {
    const index = Math.floor(n / classes.length)
    const label = classes[n % classes.length]?.label as string
    const { pixels } = renderSynthetic({ condition: id, label, seed, index, size })
    return { label, features: thumbnail(pixels.data, { size, channels: pixels.channels }) }
  })
  // Blocks of four images hold whole patients, so cutting between blocks keeps each patient on one side.
  const cut = Math.round((0.65 * images) / (4 * classes.length)) * 4 * classes.length
  const positives = classes.length === 2 ? classes.slice(1) : classes
  const areas = positives.map((one) => {
    const examples = samples.map(({ features, label }) => ({
      features,
      target: label === one.label ? 1 : 0,
    }))
    const test = examples.slice(cut)
    const scores = logisticScores(examples.slice(0, cut), test, { penalty })
    return areaUnderRoc(
      scores,
      test.map((example) => example.target),
    )
  })
  return areas.reduce((sum, area) => sum + area, 0) / areas.length
}

/** Mean of each block of pixels, channel by channel. */
function thumbnail(
  data: ArrayLike<number>,
  image: { size: number; channels: number },
): Float64Array {
  const { size, channels } = image
  const block = size / SIDE
  const result = new Float64Array(SIDE * SIDE * channels)
  for (let i = 0; i < size * size * channels; i++) {
    const channel = i % channels
    const pixel = (i - channel) / channels
    const [x, y] = [Math.floor((pixel % size) / block), Math.floor(pixel / size / block)]
    const at = (y * SIDE + x) * channels + channel
    result[at] = (result[at] as number) + (data[i] as number) / (block * block)
  }
  return result
}

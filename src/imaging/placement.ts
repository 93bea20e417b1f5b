// Where an image comes to lie in a model's input, and so where a heatmap lies on the image.
import type { Preprocessing } from './preprocessing.ts'

/** `source`: the part of the image that is used, in its pixels, may be fractional. `target`: where it goes, in input pixels. */
export interface Placement {
  readonly source: Rectangle
  readonly target: Rectangle
}

export interface Rectangle {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

type Rule = Pick<Preprocessing, 'width' | 'height' | 'aspect'>

/** How `rule` lays an image of that size into its width x height. Target rectangles are whole pixels inside the input. */
export function placement(
  image: { readonly width: number; readonly height: number },
  rule: Rule,
): Placement {
  const whole = { x: 0, y: 0, width: image.width, height: image.height }
  const input = { x: 0, y: 0, width: rule.width, height: rule.height }
  if (rule.aspect === 'stretch') return { source: whole, target: input }

  const scales = [rule.width / image.width, rule.height / image.height] as const
  if (rule.aspect === 'crop') {
    const scale = Math.max(...scales)
    const width = Math.min(image.width, rule.width / scale)
    const height = Math.min(image.height, rule.height / scale)
    const x = (image.width - width) / 2
    const y = (image.height - height) / 2
    return { source: { x, y, width, height }, target: input }
  }
  const scale = Math.min(...scales)
  const width = Math.min(rule.width, Math.max(1, Math.round(image.width * scale)))
  const height = Math.min(rule.height, Math.max(1, Math.round(image.height * scale)))
  const x = Math.floor((rule.width - width) / 2)
  const y = Math.floor((rule.height - height) / 2)
  return { source: whole, target: { x, y, width, height } }
}

// The prepared image as the graph wants it: layout, and patches hidden for occlusion. Runs in the model host.
import type { TensorValue } from '../../engine/session.ts'
import type { InputShape } from './host-messages.ts'
import type { Patch } from './raw-output.ts'

/** NHWC [1, H, W, C] as it is, or transposed to NCHW [1, C, H, W]. @throws Error when the length is wrong */
export function toLayout(
  tensor: Float32Array,
  { shape, layout }: { readonly shape: InputShape; readonly layout: 'nhwc' | 'nchw' },
): TensorValue {
  const { height, width, channels } = shape
  if (tensor.length !== height * width * channels) {
    throw new Error(`the input has ${tensor.length} values, not ${height} x ${width} x ${channels}`)
  }
  if (layout === 'nhwc') return { data: tensor, dims: [1, height, width, channels] }
  const places = height * width
  const data = new Float32Array(tensor.length)
  for (let place = 0; place < places; place++) {
    for (let channel = 0; channel < channels; channel++) {
      data[channel * places + place] = tensor[place * channels + channel] ?? 0
    }
  }
  return { data, dims: [1, channels, height, width] }
}

/** A copy of the NHWC tensor with one patch filled; `fill` has one value a channel. */
export function hidePatch(
  tensor: Float32Array,
  o: { readonly shape: InputShape; readonly patch: Patch; readonly fill: readonly number[] },
): Float32Array {
  const { width, channels } = o.shape
  const hidden = Float32Array.from(tensor)
  for (let y = o.patch.y0; y < o.patch.y1; y++) {
    for (let x = o.patch.x0; x < o.patch.x1; x++) {
      const place = (y * width + x) * channels
      for (let channel = 0; channel < channels; channel++) {
        hidden[place + channel] = o.fill[channel] ?? 0
      }
    }
  }
  return hidden
}

// The one preprocessing that training and serving share: its configuration. The arithmetic is in preprocess.ts.
import { createHash } from 'node:crypto'
import { z } from 'zod'

const perChannel = z.array(z.number()).min(1).max(3)

/**
 * From decoded pixels to the model's input. In this order: colour to `channels` (grey: ITU-R BT.601 luma; grey to RGB:
 * repeated), brought to 0..255 as float (16 bit: v * 255 / 65535), resized by `aspect` and `interpolation`, reordered
 * to `order`, then per channel (v * scale - mean) / std.
 * Keras modes: "tf" is scale 1/127.5, mean 1, std 1; "torch" is scale 1/255, mean [.485,.456,.406],
 * std [.229,.224,.225]; "caffe" is order bgr, scale 1, mean [103.939,116.779,123.68], std 1.
 */
export const PreprocessingSchema = z.object({
  schema: z.literal(1),
  width: z.int().min(1).max(4096),
  height: z.int().min(1).max(4096),
  channels: z.union([z.literal(1), z.literal(3)]),
  interpolation: z.enum(['nearest', 'bilinear', 'bicubic', 'area']),
  /** stretch: ignore the aspect ratio; crop: shorter side, then centre; pad: longer side, then black borders. */
  aspect: z.enum(['stretch', 'crop', 'pad']),
  /** Widen the filter when shrinking (as Pillow and tf.image.resize(antialias=True) do). */
  antialias: z.boolean(),
  scale: z.number(),
  mean: perChannel,
  /** A channel is divided by it. */
  std: z
    .array(z.number().refine((value) => value !== 0, 'must not be 0'))
    .min(1)
    .max(3),
  order: z.enum(['rgb', 'bgr']),
})
export type Preprocessing = Readonly<z.infer<typeof PreprocessingSchema>>

/** SHA-256 of the configuration in canonical form (keys sorted), lower-case hex; stamped on every prediction. */
export function preprocessingDigest(preprocessing: Preprocessing): string {
  const canonical = JSON.stringify(preprocessing, Object.keys(preprocessing).sort())
  return createHash('sha256').update(canonical).digest('hex')
}

// What the loop feeds to a step for an image: its pixels, changed a little in each epoch, or what the frozen part of the
// network made of them.
import type { FrozenPrefix } from '../../engine/frozen-prefix.ts'
import { applyChange, drawChange, type ImageShape } from '../dataset/augment.ts'
import type { Prepared, PreparedImage } from '../dataset/prepared.ts'
import type { Augmentation } from '../hyperparameters.ts'

/** How the frozen part was run once, for the record of a run. */
export interface FrozenRecord {
  /** Augmented copies of each training image. */
  readonly copies: number
  /** Numbers kept for one copy. */
  readonly features: number
  readonly type: 'float32' | 'float16'
  readonly layers: readonly string[]
  readonly bytes: number
  readonly seconds: number
}

export interface ImageSource {
  /** Numbers of one image. */
  readonly rowLength: number
  /** Given, a row holds features of this frozen part instead of pixels. */
  readonly prefix?: FrozenPrefix
  readonly record: FrozenRecord | null
  /** A training image as this epoch (from 1) sees it. */
  readonly readChanged: (
    image: PreparedImage,
    o: { readonly epoch: number; readonly target: Float32Array },
  ) => void
  /** An image as it is; of features, those of the validation split only. */
  readonly read: (image: PreparedImage, target: Float32Array) => void
  readonly close: () => Promise<void>
}

export function pixelSource(
  prepared: Prepared,
  { seed, augmentation }: { readonly seed: number; readonly augmentation: Augmentation | null },
): ImageSource {
  const { rowLength } = prepared
  const [height, width, channels] = prepared.index.storage.shape
  const shape: ImageShape = { height, width, channels }
  const plain = new Float32Array(rowLength)
  return {
    rowLength,
    record: null,
    read: prepared.read,
    readChanged: (image, { epoch, target }) => {
      if (!augmentation) return prepared.read(image, target)
      prepared.read(image, plain)
      const change = drawChange(augmentation, { seed, epoch, index: image.row })
      applyChange(plain, { target, shape, change })
    },
    close: async () => {},
  }
}

// What stands around the network in a diagnosis: an image as it is uploaded, and from outputs to scores and a heatmap.
import sharp from 'sharp'
import type { Session } from '../src/engine/session.ts'
import { heatmapPng } from '../src/imaging/heatmap.ts'
import type { Preprocessing } from '../src/imaging/preprocessing.ts'
import { findLayerEvidence } from '../src/inference/explain/evidence.ts'
import { gradCam } from '../src/inference/explain/gradcam.ts'
import { scores } from '../src/inference/scores.ts'

export const LIMITS = { maxBytes: 1e8, maxPixels: 1e8 }
const CLASSES = [
  { label: 'NORMAL', positive: false },
  { label: 'PNEUMONIA', positive: true },
]
const CALIBRATION = {
  method: 'temperature',
  temperature: 1.5,
  eceBefore: null,
  eceAfter: null,
  n: 0,
} as const

/** A grey JPEG of 1024 x 1024 with structure and noise, as large as a typical export of a radiograph. */
export async function jpeg(): Promise<Uint8Array> {
  const side = 1024
  const pixels = Uint8Array.from({ length: side * side }, (_, i) => {
    const [row, column] = [Math.floor(i / side), i % side]
    return 128 + 60 * Math.sin(row / 40) * Math.cos(column / 55) + ((i * 2654435761) % 32)
  })
  return sharp(pixels, { raw: { width: side, height: side, channels: 1 } })
    .jpeg({ quality: 90 })
    .toBuffer()
}

interface Place {
  readonly width: number
  readonly height: number
  readonly rule: Preprocessing
}

/** Calibrated scores are computed and let go; what is returned is the PNG of the Grad-CAM overlay. */
export function drawn(results: Awaited<ReturnType<Session['run']>>, place: Place): Uint8Array {
  const raw = {
    logits: results.logits?.data ?? null,
    probabilities: null,
    features: results.features ?? null,
    gradients: results.gradients ?? null,
  }
  const given = { kind: 'single-label', classes: CLASSES, raw } as const
  scores({ ...given, calibration: CALIBRATION })
  const layer = findLayerEvidence({ ...given, target: 1 })
  if (!layer) throw new Error('the graph has no features')
  const { grid, width: gridWidth, height: gridHeight } = gradCam(layer)
  return heatmapPng({ grid, gridWidth, gridHeight, scale: 1, ...place })
}

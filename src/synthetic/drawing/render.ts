// One synthetic image in memory, a pure function of (condition, label, seed, index, size). Files: dataset.ts.
import { AppError } from '../../errors.ts'
import type { Pixels } from '../../imaging/pixels.ts'
import { getSynthCondition, recipeOf } from '../conditions.ts'
import { patientNumber } from '../patients.ts'
import { drawPose } from '../scene.ts'
import { type Artefact, burnIn, chooseArtefacts, devices } from './artefacts.ts'
import { add, createCanvas, type Plane } from './canvas.ts'
import { clamp } from './geometry.ts'
import { develop } from './radiograph.ts'
import { createRandom } from './random.ts'

export interface SyntheticRequest {
  readonly condition: string
  readonly label: string
  readonly seed: number
  /** Counts from 0 within the class. */
  readonly index: number
  /** Side in pixels, 32 to 2048; 256 by default. */
  readonly size?: number
  /** 16 gives a `Uint16Array` with `maxValue` 65535; radiographs only, a photograph is always 8. */
  readonly bits?: 8 | 16
}

export interface SyntheticImage {
  readonly pixels: Pixels
  /** Same size, one channel, 255 where the finding is. */
  readonly mask: Pixels
  /** Which images show the same person: equal within a dataset for equal patients, whatever the class. */
  readonly patient: string
  readonly artefacts: readonly Artefact[]
}

/** @throws AppError `unknown-condition`, `unknown-target`, `invalid` */
export function renderSynthetic(request: SyntheticRequest): SyntheticImage {
  const condition = getSynthCondition(request.condition)
  const { label, seed, index, size = 256 } = request
  checkNumbers({ seed, index, size })
  const classIndex = condition.classes.findIndex((one) => one.label === label)
  if (classIndex < 0) {
    const labels = condition.classes.map((one) => one.label).join(', ')
    throw new AppError(
      'unknown-target',
      `${condition.name} has no class "${label}"; it has ${labels}.`,
    )
  }
  const group = `${condition.id}/${label}`
  const person = patientNumber(seed, { group, index })
  const image = createRandom(seed, condition.id, label, 'image', index)
  const patient = createRandom(seed, condition.id, label, 'patient', person)
  const { anatomy, pose, artefacts } = recipeOf(condition)
  const canvas = createCanvas(size, drawPose(image.fork('pose'), pose))
  const scene = { canvas, label, patient, image }
  const shared = { patient: `p${person * condition.classes.length + classIndex}` }

  if (anatomy.of === 'photograph') {
    const { rgb, finding } = anatomy.draw(scene)
    return {
      ...shared,
      pixels: toPixels(rgb, { size, bits: 8 }),
      mask: toMask(finding, size),
      artefacts: [],
    }
  }
  const { attenuation, finding } = anatomy.draw(scene)
  const chosen = chooseArtefacts(image.fork('artefacts'), artefacts)
  const upright = createCanvas(size, { mirrored: false, angle: 0, zoom: 1, dx: 0, dy: 0 })
  add(attenuation, devices(upright, chosen, image.fork('devices')), 1)
  const film = develop(canvas, attenuation, image.fork('film'))
  burnIn(film, chosen, { size, random: image.fork('marks') })
  return {
    ...shared,
    pixels: toPixels([film], { size, bits: request.bits ?? 8 }),
    mask: toMask(finding, size),
    artefacts: chosen,
  }
}

function checkNumbers(numbers: { seed: number; index: number; size: number }): void {
  const { seed, index, size } = numbers
  if (!Number.isSafeInteger(seed)) throw new AppError('invalid', 'The seed must be a whole number.')
  if (!Number.isSafeInteger(index) || index < 0) {
    throw new AppError('invalid', 'The index of an image must be a whole number from 0 on.')
  }
  if (!Number.isInteger(size) || size < 32 || size > 2048) {
    throw new AppError('invalid', 'The size must be a whole number of pixels between 32 and 2048.')
  }
}

function toPixels(planes: readonly Plane[], options: { size: number; bits: 8 | 16 }): Pixels {
  const { size, bits } = options
  const channels = planes.length === 3 ? 3 : 1
  const maxValue = bits === 16 ? 65535 : 255
  const data = bits === 16 ? new Uint16Array(size * size) : new Uint8Array(size * size * channels)
  planes.forEach((plane, channel) => {
    for (let i = 0; i < plane.length; i++) {
      data[i * channels + channel] = Math.round(clamp(plane[i] as number, 0, 1) * maxValue)
    }
  })
  return { width: size, height: size, channels, data, maxValue }
}

function toMask(finding: Plane, size: number): Pixels {
  const data = new Uint8Array(size * size)
  for (let i = 0; i < data.length; i++) data[i] = (finding[i] as number) >= 0.3 ? 255 : 0
  return { width: size, height: size, channels: 1, data, maxValue: 255 }
}

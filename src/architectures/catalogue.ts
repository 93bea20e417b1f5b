// Every architecture that can be trained, by name.
import '../engine/quiet-tfjs.ts'
import { AppError } from '../errors.ts'
import type { Architecture } from './architecture.ts'
import { customCnn } from './custom-cnn.ts'
import { densenet121 } from './densenet121.ts'
import { efficientnetB0, efficientnetB3 } from './efficientnet.ts'
import { mobileNetV2 } from './mobilenet-v2.ts'
import { resnet50 } from './resnet50.ts'
import { tinyCnn } from './tiny-cnn.ts'
import { tinyMobilenet } from './tiny-mobilenet.ts'
import { vgg16 } from './vgg16.ts'
import { vitB16 } from './vit-b-16.ts'

export const ARCHITECTURES: readonly Architecture[] = [
  tinyCnn,
  tinyMobilenet,
  customCnn,
  mobileNetV2({ width: 0.35, parameters: 397_000, gigaMacs: 0.054, activationMegabytes: 36 }),
  mobileNetV2({ width: 0.5, parameters: 689_000, gigaMacs: 0.092, activationMegabytes: 45 }),
  mobileNetV2({ width: 0.75, parameters: 1_356_000, gigaMacs: 0.2, activationMegabytes: 73 }),
  mobileNetV2({ width: 1, parameters: 2_225_000, gigaMacs: 0.29, activationMegabytes: 83 }),
  mobileNetV2({ width: 1.3, parameters: 3_723_000, gigaMacs: 0.5, activationMegabytes: 112 }),
  mobileNetV2({ width: 1.4, parameters: 4_317_000, gigaMacs: 0.57, activationMegabytes: 119 }),
  efficientnetB0,
  efficientnetB3,
  densenet121,
  resnet50,
  vgg16,
  vitB16,
]

/** Spelling is forgiven: `Custom_CNN` and `custom-cnn` are the same. @throws AppError `invalid` */
export function getArchitecture(name: string): Architecture {
  const fold = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]+/g, '')
  const found = ARCHITECTURES.find((one) => fold(one.name) === fold(name))
  if (found) return found
  const names = ARCHITECTURES.map((one) => one.name).join(', ')
  throw new AppError(
    'invalid',
    `"${name.slice(0, 80)}" is not an architecture; available: ${names}.`,
  )
}

// Every architecture that can be trained, by name.
import '../../engine/quiet-tfjs.ts'
import { AppError } from '../../errors.ts'
import type { Architecture } from './architecture.ts'
import { customCnn } from './custom-cnn.ts'
import { mobileNetV2 } from './mobilenet-v2.ts'
import { tinyCnn } from './tiny-cnn.ts'
import { tinyMobilenet } from './tiny-mobilenet.ts'

export const ARCHITECTURES: readonly Architecture[] = [
  tinyCnn,
  tinyMobilenet,
  customCnn,
  mobileNetV2(0.35, 411_000),
  mobileNetV2(1, 2_258_000),
]

/** Spelling is forgiven: `Custom_CNN` and `custom-cnn` are the same. @throws AppError `invalid` */
export function getArchitecture(name: string): Architecture {
  const fold = (text: string): string => text.toLowerCase().replace(/[\s_-]+/g, '')
  const found = ARCHITECTURES.find((one) => fold(one.name) === fold(name))
  if (found) return found
  const names = ARCHITECTURES.map((one) => one.name).join(', ')
  throw new AppError('invalid', `"${name.slice(0, 80)}" is no architecture; there are: ${names}.`)
}

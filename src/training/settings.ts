// Presets of a training run, and how preset, architecture and request are merged. What may be set is hyperparameters.ts.
import type { z } from 'zod'
import { AppError } from '../errors.ts'
import {
  type Augmentation,
  AugmentationSchema,
  type Hyperparameters,
  HyperparametersSchema,
} from './hyperparameters.ts'
import { fieldsOf, type SettingField } from './setting-fields.ts'
import { GivenThermalSchema, ThermalSchema, withThermalNames } from './thermal/settings.ts'

/** What a caller may give; the rest follows from preset, architecture and condition. */
export const GivenHyperparametersSchema = HyperparametersSchema.partial().extend({
  /** Spares the machine and changes no weights, so it is no hyperparameter that a result depends on. */
  thermal: GivenThermalSchema.optional(),
})
export type GivenHyperparameters = Readonly<z.input<typeof GivenHyperparametersSchema>>

/** Everything that a run may be given, as data for forms, commands and the reference. */
export const TRAINING_FIELDS: readonly SettingField[] = [
  ...fieldsOf(HyperparametersSchema),
  ...fieldsOf(ThermalSchema, 'thermal.'),
]

/** With the present names, where a request, a kept run or an older client has the former ones. */
export function withCurrentNames(
  given: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const { cooling, ...others } = given
  if (cooling !== undefined && others.thermal !== undefined) return given
  const thermal = cooling ?? others.thermal
  return thermal === undefined ? others : { ...others, thermal: withThermalNames(thermal) }
}

/** `maxPerClass` where the preset has one; the training page's action "the whole set" names the pair of heatmap presets. */
export const PRESETS: Readonly<
  Record<
    'quick' | 'standard' | 'intensive' | 'heatmap-standard' | 'heatmap-intensive',
    {
      readonly epochs: number
      readonly maxPerClass?: number
      readonly title: string
      readonly text: string
    }
  >
> = {
  quick: { epochs: 5, title: 'Quick', text: '5 epochs: does the dataset work at all?' },
  standard: { epochs: 25, title: 'Standard', text: '25 epochs: a model to use and compare.' },
  intensive: {
    epochs: 50,
    title: 'Intensive',
    text: '50 epochs: when standard was still improving.',
  },
  'heatmap-standard': {
    epochs: 10,
    maxPerClass: 500,
    title: 'Heatmap standard',
    text: '10 epochs, at most 500 images per class: DenseNet121 for clear heatmaps.',
  },
  'heatmap-intensive': {
    epochs: 15,
    maxPerClass: 500,
    title: 'Heatmap intensive',
    text: '15 epochs, at most 500 images per class: the same, longer.',
  },
}
export type Preset = keyof typeof PRESETS

export interface Defaults {
  readonly preset: Preset
  readonly learningRate: number
  readonly imageSize: number
  readonly augmentation: Augmentation
  /** `all` by default. */
  readonly trainedLayers?: number
  /** `trained` by default. */
  readonly batchNorm?: 'frozen'
}

/** Preset and architecture filled in, the caller's values on top. @throws AppError `invalid` naming the field */
export function completeHyperparameters(
  given: GivenHyperparameters,
  defaults: Defaults,
): Hyperparameters {
  const { learningRate, imageSize, augmentation, trainedLayers = 'all' } = defaults
  const { batchNorm = 'trained' } = defaults
  const { epochs, maxPerClass = null } = PRESETS[defaults.preset]
  const { thermal: _, augmentation: changes, ...values } = given
  const result = HyperparametersSchema.safeParse({
    epochs,
    maxPerClass,
    learningRate,
    imageSize,
    trainedLayers,
    batchNorm,
    augmentation: changes === null ? null : { ...augmentation, ...changes },
    ...values,
  })
  if (result.success) return result.data
  const issue = result.error.issues[0]
  throw new AppError(
    'invalid',
    `The hyperparameter "${issue?.path.join('.') || '?'}" is wrong: ${issue?.message ?? 'not as expected'}.`,
  )
}

/** @throws AppError `invalid` */
export function parsePreset(text: string): Preset {
  if (Object.hasOwn(PRESETS, text)) return text as Preset
  const names = Object.keys(PRESETS).join(', ')
  throw new AppError('invalid', `"${text.slice(0, 80)}" is not a preset; available: ${names}.`)
}

/** Mirroring left and right is right for limbs and knees, wrong for a chest; skin has no up or down either. */
export function augmentationFor(bodyPart: string): Augmentation {
  const part = bodyPart.toLowerCase()
  const skin = part.includes('skin')
  return AugmentationSchema.parse({
    flipHorizontal: skin || !/chest|thorax|lung|heart|abdomen/.test(part),
    flipVertical: skin,
    ...(skin ? { rotationDegrees: 180 } : {}),
  })
}

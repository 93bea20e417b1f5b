// The form that starts trainings, as the body that the API takes: checkboxes `dataset:<id>` and the like become lists,
// empty fields are left out.
import { AppError } from '../../errors.ts'
import { fieldOf } from '../http/image-fields.ts'
import { numberField } from '../http/requests.ts'

const NUMBERS = [
  'epochs',
  'batchSize',
  'learningRate',
  'momentum',
  'weightDecay',
  'labelSmoothing',
  'trainedLayers',
  'frozenCopies',
  'plateauPatience',
  'plateauFactor',
  'stepEpochs',
  'stepFactor',
  'imageSize',
  'maxPerClass',
  'channels',
  'earlyStopping',
  'seed',
] as const
const WORDS = ['weights', 'batchNorm', 'optimizer', 'schedule', 'aspect', 'interpolation'] as const
const AUGMENTATION = ['rotationDegrees', 'shift', 'scale', 'brightness', 'contrast'] as const
const COOLING = [
  'pauseAboveCelsius',
  'goOnBelowCelsius',
  'gpuPauseAboveCelsius',
  'gpuGoOnBelowCelsius',
  'leastBreakSeconds',
  'threads',
] as const
const FLIPS = ['flipHorizontal', 'flipVertical'] as const

/** @throws AppError `invalid` */
export function runRequestOf(fields: ReadonlyMap<string, string>): Record<string, unknown> {
  const hyperparameters: Record<string, unknown> = {}
  for (const name of NUMBERS) {
    const value = numberField(fields, name)
    if (value !== undefined) hyperparameters[name] = value
  }
  for (const name of WORDS) {
    const value = fieldOf(fields, name)
    if (value !== undefined) hyperparameters[name] = value
  }
  const augmentation = augmentationOf(fields)
  if (augmentation !== undefined) hyperparameters.augmentation = augmentation
  if (fields.has('noClassWeights')) hyperparameters.classWeights = false
  const cooling = coolingOf(fields)
  if (cooling !== undefined) hyperparameters.cooling = cooling
  if (fields.has('int8')) hyperparameters.int8 = true
  return {
    condition: fieldOf(fields, 'condition'),
    dataset: chosen(fields, 'dataset'),
    architecture: chosen(fields, 'architecture'),
    preset: chosen(fields, 'preset'),
    hyperparameters,
    initFrom: fieldOf(fields, 'initFrom'),
    name: fieldOf(fields, 'name'),
  }
}

/** Undefined: as the server is set. */
function coolingOf(fields: ReadonlyMap<string, string>) {
  const wishes: Record<string, unknown> = {}
  for (const name of COOLING) {
    const value = numberField(fields, `cooling.${name}`)
    if (value !== undefined) wishes[name] = value
  }
  const percent = numberField(fields, 'cooling.dutyPercent')
  if (percent !== undefined) wishes.dutyCycle = percent / 100
  return Object.keys(wishes).length === 0 ? undefined : wishes
}

/** null: none; undefined: what is usual for the body part. */
function augmentationOf(fields: ReadonlyMap<string, string>) {
  if (fields.has('noAugmentation')) return null
  const wishes: Record<string, unknown> = {}
  for (const name of AUGMENTATION) {
    const value = numberField(fields, name)
    if (value !== undefined) wishes[name] = value
  }
  for (const name of FLIPS) {
    const value = fieldOf(fields, name)
    if (value !== undefined) wishes[name] = value === 'yes'
  }
  return Object.keys(wishes).length === 0 ? undefined : wishes
}

/** One as itself, several as a list. @throws AppError `invalid` when none is */
function chosen(fields: ReadonlyMap<string, string>, name: string): string | string[] {
  const prefix = `${name}:`
  const values = [...fields.keys()]
    .filter((key) => key.startsWith(prefix))
    .map((key) => key.slice(prefix.length))
  if (values.length === 0) {
    throw new AppError('invalid', `Choose at least one ${name}.`, { extra: { field: name } })
  }
  return values.length === 1 ? (values[0] ?? '') : values
}

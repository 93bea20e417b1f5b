// What a person has to say about a model that comes from elsewhere: for which condition, which classes, which preprocessing.
// A foreign file knows none of it. Checked here; what the model itself tells is filled in by the converters.
import { z } from 'zod'
import type { PixelScaling } from '../../architectures/architecture.ts'
import { AppError } from '../../errors.ts'
import { type Preprocessing, PreprocessingSchema } from '../../imaging/preprocessing.ts'
import { parseName } from '../../package/ids.ts'
import {
  type ClassLabel,
  ClassSchema,
  type ConditionKind,
  KindSchema,
} from '../../package/schema.ts'

export interface ForeignFields {
  readonly condition: string
  readonly name: string
  /** Undefined: the condition's own, or what the file tells. */
  readonly classes: readonly ClassLabel[] | undefined
  readonly kind: ConditionKind | undefined
  readonly preprocessing: PartialPreprocessing | undefined
  readonly architecture: string | undefined
  /** What the outputs are; `auto` looks at the graph and at what it gives. */
  readonly outputs: OutputChoice
  /** Label of the class whose probability a single unit is; undefined: the one at index 1. */
  readonly unitClass: string | undefined
}

export const OUTPUT_CHOICES = ['auto', 'logits', 'probabilities'] as const
export type OutputChoice = (typeof OUTPUT_CHOICES)[number]

/** Input size and channels as the model has them. */
export interface InputSize {
  readonly width: number
  readonly height: number
  readonly channels: 1 | 3
}

const MAX_CLASSES = 1000

/** Keras' names for its usual scalings, see preprocessing.ts. */
const MODES = {
  tf: { scale: 1 / 127.5, mean: [1, 1, 1], std: [1, 1, 1] },
  torch: { scale: 1 / 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
  caffe: { scale: 1, mean: [103.939, 116.779, 123.68], std: [1, 1, 1], order: 'bgr' },
  unit: { scale: 1 / 255, mean: [0, 0, 0], std: [1, 1, 1] },
  raw: { scale: 1, mean: [0, 0, 0], std: [1, 1, 1] },
  /** torchxrayvision: -1024..1024, the middle of the image. */
  xrv: { scale: 2048 / 255, mean: [1024, 1024, 1024], std: [1, 1, 1], aspect: 'crop' },
} as const

/** A whole preprocessing, or the part that the model does not tell itself: how pixel values are scaled. */
const PartialPreprocessingSchema = PreprocessingSchema.partial().extend({
  mode: z.enum(['tf', 'torch', 'caffe', 'unit', 'raw', 'xrv']).optional(),
  size: z.union([z.int(), z.tuple([z.int(), z.int()])]).optional(),
})
export type PartialPreprocessing = z.infer<typeof PartialPreprocessingSchema>

/** @throws AppError `condition-required`, `invalid` naming the field that is missing or wrong */
export function parseForeignFields(fields: Readonly<Record<string, string>>): ForeignFields {
  const text = (name: string): string | undefined => fields[name]?.trim() || undefined
  const condition = text('condition')
  if (!condition) {
    throw new AppError(
      'condition-required',
      'This model has no description: add the fields "condition", "name", "classes" and "preprocessing".',
    )
  }
  const name = text('name')
  if (!name) throw new AppError('invalid', 'Give the imported model a "name".')
  const classes = text('classes')
  const preprocessing = text('preprocessing')
  return {
    condition: parseName(condition, 'condition'),
    name: parseName(name, 'name'),
    classes: classes === undefined ? undefined : parseClasses(classes),
    kind: parseKind(text('kind')),
    preprocessing: preprocessing === undefined ? undefined : parsePreprocessing(preprocessing),
    architecture: text('architecture')?.slice(0, 100),
    outputs: parseOutputs(text('outputs')),
    unitClass: text('unitClass')?.replace(/^\*/, ''),
  }
}

/**
 * A JSON array of labels or of `{label, positive}`, or a list divided by commas. A label that begins with `*` is a
 * positive finding.
 */
export function parseClasses(text: string): readonly ClassLabel[] {
  const list: unknown = text.startsWith('[') ? parseJson(text, 'classes') : text.split(',')
  const parsed = z
    .array(z.union([z.string(), ClassSchema]))
    .min(1)
    .max(MAX_CLASSES)
    .safeParse(list)
  if (!parsed.success) {
    throw new AppError(
      'invalid',
      '"classes" must be a JSON array of labels, or labels separated by commas, positive findings marked with *.',
    )
  }
  const classes = parsed.data.map((one) => {
    if (typeof one !== 'string') return one
    const label = one.trim()
    return label.startsWith('*')
      ? { label: label.slice(1).trim(), positive: true }
      : { label, positive: false }
  })
  const labels = classes.map((one) => one.label)
  if (labels.some((label) => label === '' || label.length > 100)) {
    throw new AppError('invalid', 'Every class needs a label of up to 100 characters.')
  }
  if (new Set(labels).size !== labels.length)
    throw new AppError('invalid', 'Two classes have the same label.')
  return classes
}

/** Height and width, where they were said. */
export function wantedSize(
  given: PartialPreprocessing | undefined,
): readonly [height: number, width: number] | undefined {
  const { size, height, width } = given ?? {}
  if (typeof size === 'number') return [size, size]
  if (size) return size
  return height !== undefined && width !== undefined ? [height, width] : undefined
}

/**
 * The preprocessing whole: the size is the model's, and where nothing else is said the image is stretched to it.
 * @throws AppError `invalid` when it does not fit the model's input, or when nobody said how pixels are scaled
 */
export function completePreprocessing(
  given: PartialPreprocessing | undefined,
  input: InputSize,
): Preprocessing {
  const { mode, size: _, ...rest } = given ?? {}
  const [height, width] = wantedSize(given) ?? [undefined, undefined]
  const scaling = mode ? MODES[mode] : undefined
  if (!scaling && rest.scale === undefined) {
    throw new AppError(
      'invalid',
      'Say how pixel values are scaled: "preprocessing" needs "scale" (with "mean" and "std"), or a "mode" of ' +
        `${Object.keys(MODES).join(', ')}.`,
    )
  }
  const perChannel = (list: readonly number[] = [], otherwise: number): readonly number[] =>
    list.length > 1
      ? list.slice(0, input.channels)
      : Array.from({ length: input.channels }, () => list[0] ?? otherwise)
  const whole = {
    width: width ?? input.width,
    height: height ?? input.height,
    channels: input.channels,
    interpolation: 'bilinear',
    aspect: 'stretch',
    antialias: true,
    order: 'rgb',
    ...scaling,
    ...rest,
    mean: perChannel(rest.mean ?? scaling?.mean, 0),
    std: perChannel(rest.std ?? scaling?.std, 1),
    schema: 1,
  }
  const parsed = PreprocessingSchema.safeParse(whole)
  if (!parsed.success) throw wrongPreprocessing(parsed.error)
  const { data } = parsed
  if (
    data.width !== input.width ||
    data.height !== input.height ||
    data.channels !== input.channels
  ) {
    throw new AppError(
      'invalid',
      `The preprocessing makes ${data.width} x ${data.height} pixels with ${data.channels} channels, but the model takes ` +
        `${input.width} x ${input.height} with ${input.channels}.`,
    )
  }
  return data
}

/** Only how pixels are scaled; undefined when the text leaves that out. @throws AppError `invalid` */
export function parseScaling(text: string): PixelScaling | undefined {
  const { mode, scale, mean = [0], std = [1], order = 'rgb' } = parsePreprocessing(text.trim())
  if (mode) {
    const { scale: factor, mean: means, std: stds, ...more } = MODES[mode]
    return {
      scale: factor,
      mean: [...means],
      std: [...stds],
      order: 'order' in more ? more.order : 'rgb',
    }
  }
  return scale === undefined ? undefined : { scale, mean, std, order }
}

function parsePreprocessing(text: string): PartialPreprocessing {
  const isWord = /^[a-z]+$/.test(text)
  const json = isWord ? { mode: text } : parseJson(text, 'preprocessing')
  const parsed = PartialPreprocessingSchema.safeParse(json)
  if (parsed.success) return parsed.data
  throw wrongPreprocessing(parsed.error)
}

function wrongPreprocessing(error: z.ZodError): AppError {
  const issue = error.issues[0]
  const where = ['preprocessing', ...(issue?.path ?? [])].join('.')
  return new AppError('invalid', `"${where}": ${issue?.message ?? 'is not as expected'}.`)
}

function parseOutputs(text = 'auto'): OutputChoice {
  const found = OUTPUT_CHOICES.find((one) => one === text)
  if (found) return found
  throw new AppError('invalid', `"outputs" must be ${OUTPUT_CHOICES.join(', ')}.`, {
    extra: { field: 'outputs' },
  })
}

function parseKind(text: string | undefined): ConditionKind | undefined {
  if (text === undefined) return undefined
  const parsed = KindSchema.safeParse(text)
  if (parsed.success) return parsed.data
  throw new AppError('invalid', '"kind" must be binary, single-label or multi-label.')
}

function parseJson(text: string, field: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new AppError('invalid', `"${field}" is not readable JSON.`, { cause })
  }
}

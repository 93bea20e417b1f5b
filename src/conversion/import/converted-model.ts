// What a converter makes of a foreign file, before it becomes a package; and how it is fitted to a condition.

import type { Variant } from '../../architectures/architecture.ts'
import { AppError } from '../../errors.ts'
import { positiveIndex } from '../../inference/scores.ts'
import type { ClassLabel, ConditionKind, Graph, ModelConfig } from '../../package/schema.ts'
import type { ForeignFields, InputSize } from './foreign-fields.ts'
import type { ImportJob, KnownCondition } from './import-job.ts'

/**
 * How far a converter knows what its outputs are. `logits`: what is before a known last activation; `probabilities`: nothing
 * else can come out; `probably-logits`: a linear layer is last; `open`: judge-outputs.ts looks at them.
 */
export type Certainty = 'logits' | 'probabilities' | 'probably-logits' | 'open'

export interface ConvertedModel {
  readonly onnx: Uint8Array
  readonly graph: Omit<Graph, 'file'>
  readonly input: InputSize
  /** Numbers that the model gives for one image. */
  readonly outputCount: number
  /** Its last activation, where that can be told. */
  readonly lastActivation: 'sigmoid' | 'softmax' | undefined
  readonly certainty: Certainty
  /** Sentences for the user about what was left out or taken otherwise. */
  readonly notes?: readonly string[]
  readonly explanation: ModelConfig['explanation']
  readonly parameters: ModelConfig['parameters']
  /** Labels that the file itself brings. */
  readonly labels: readonly string[] | undefined
  /** Set when it is a feature extractor: its outputs are pooled features and no findings. */
  readonly featureNotice: string | undefined
  readonly architecture: string
  /** Whose details the architecture has. */
  readonly variant?: Variant
  /** On the probability of each output, where the file brings them. */
  readonly thresholds?: readonly number[] | undefined
  /** Writes further formats of the model below the package's `models/`. */
  readonly writeMore: (modelsDir: string) => Promise<void>
}

export type Arrangement =
  | { readonly as: 'it is' }
  /** Output k is the model's output `order[k]`; a single one of several may be chosen. */
  | { readonly as: 'ordered'; readonly order: readonly number[] }
  /** One unit that speaks for the other class. */
  | { readonly as: 'opposite' }

export interface ModelMeaning {
  readonly kind: ConditionKind
  readonly classes: readonly ClassLabel[]
  /** How the model's outputs become the scores of these classes. */
  readonly arrangement: Arrangement
  /** The class whose probability a model's one output is; null when it has an output for each. */
  readonly unitClass: string | null
}

/** How many classes are known before the file is looked at. */
export function classCount({
  fields,
  condition,
}: Pick<ImportJob, 'fields' | 'condition'>): number | undefined {
  return (fields.classes ?? condition?.classes)?.length
}

/**
 * What the outputs mean: the condition's kind and classes where it is there already, else what was said, else what the
 * file tells. `fields.classes` are in the order of the outputs; the meaning has them in the condition's.
 * @throws AppError `invalid` in a sentence that says what does not fit
 */
export function meaningOf(
  model: ConvertedModel,
  { fields, condition }: { fields: ForeignFields; condition: KnownCondition | undefined },
): ModelMeaning {
  const kind = condition?.kind ?? fields.kind ?? guessedKind(model)
  const own = ownClasses(model)
  const known = condition?.classes
  // The file's own labels tell the order, where they are the condition's.
  const said = fields.classes ?? (own && known && sameSet(own, known) ? own : (known ?? own))
  if (!said) {
    throw new AppError(
      'invalid',
      `Name the ${model.outputCount} classes of this model in the field "classes", in the order of its outputs.`,
    )
  }
  refuseOtherLabels(said, known)
  const classes = markedClasses(kind, { said, known })
  const outputs = kind === 'binary' ? [1, 2] : [classes.length]
  const fits = outputs.includes(model.outputCount) && (kind !== 'binary' || classes.length === 2)
  if (!fits) throw new AppError('invalid', misfit(model, { kind, classes }))
  const labels = said.map(({ label }) => label)
  return {
    kind,
    classes,
    ...arrangementOf(model, { kind, classes, labels, unit: fields.unitClass }),
  }
}

interface Order {
  readonly kind: ConditionKind
  /** Of the version. */
  readonly classes: readonly ClassLabel[]
  /** Of the model's outputs. */
  readonly labels: readonly string[]
  readonly unit: string | undefined
}

/** One unit is the probability of the class at index 1, as Keras' folders are numbered, unless another was named. */
function arrangementOf(
  model: ConvertedModel,
  { kind, classes, labels, unit }: Order,
): Pick<ModelMeaning, 'arrangement' | 'unitClass'> {
  const isUnit = kind === 'binary' && model.outputCount === 1
  if (unit !== undefined && !isUnit) {
    throw invalidUnit('"unitClass" is for a binary model that gives one number.')
  }
  if (unit !== undefined && !labels.includes(unit)) {
    throw invalidUnit(`"unitClass" must be one of the classes ${labels.join(', ').slice(0, 200)}.`)
  }
  const positive = classes[positiveIndex(classes)]?.label ?? ''
  if (isUnit) {
    const unitClass = unit ?? labels[1] ?? ''
    return { unitClass, arrangement: { as: unitClass === positive ? 'it is' : 'opposite' } }
  }
  // Two units that do not exclude each other: the finding's own is its probability.
  if (kind === 'binary' && model.lastActivation === 'sigmoid') {
    const order = [labels.indexOf(positive)]
    return { unitClass: positive, arrangement: { as: 'ordered', order } }
  }
  const order = classes.map(({ label }) => labels.indexOf(label))
  return { unitClass: null, arrangement: { as: 'ordered', order } }
}

function invalidUnit(message: string): AppError {
  return new AppError('invalid', message, { extra: { field: 'unitClass' } })
}

function guessedKind(model: ConvertedModel): ConditionKind {
  if (model.outputCount === 1) return 'binary'
  return model.lastActivation === 'sigmoid' ? 'multi-label' : 'single-label'
}

/** A feature extractor has no classes; its features are numbered so that it can be looked at and compared. */
function ownClasses(model: ConvertedModel): readonly ClassLabel[] | undefined {
  if (model.featureNotice !== undefined) {
    return Array.from({ length: model.outputCount }, (_, i) => ({
      label: `feature-${String(i + 1).padStart(4, '0')}`,
      positive: false,
    }))
  }
  return model.labels?.map((label) => ({ label, positive: false }))
}

/** The condition's own, in its order; of two unmarked ones that are new the second is the finding, as in Keras. */
function markedClasses(
  kind: ConditionKind,
  { said, known }: { said: readonly ClassLabel[]; known: readonly ClassLabel[] | undefined },
): readonly ClassLabel[] {
  if (known) return known
  if (kind !== 'binary' || said.some((one) => one.positive)) return said
  return said.map((one, i) => ({ ...one, positive: i === 1 }))
}

/** Their order may be another, and marks may be left out; one that is marked otherwise is another meaning. */
function refuseOtherLabels(
  said: readonly ClassLabel[],
  known: readonly ClassLabel[] | undefined,
): void {
  if (!known) return
  const labels = known.map((one) => one.label).join(', ')
  if (!sameSet(said, known)) {
    throw new AppError(
      'invalid',
      `The condition's classes are ${labels.slice(0, 300)}; a model for it must have the same, in any order.`,
    )
  }
  if (!said.some((one) => one.positive)) return
  const marks = new Map(known.map((one) => [one.label, one.positive]))
  const other = said.find(({ label, positive }) => marks.get(label) !== positive)
  if (!other) return
  throw new AppError(
    'invalid',
    `The condition has "${other.label.slice(0, 60)}" as ${other.positive ? 'no' : 'a'} positive finding; leave the marks out, they are the condition's.`,
  )
}

function misfit(
  model: ConvertedModel,
  { kind, classes }: Pick<ModelMeaning, 'kind' | 'classes'>,
): string {
  const { outputCount } = model
  const gives = `This model gives ${outputCount} ${outputCount === 1 ? 'number' : 'numbers'} for an image`
  if (model.featureNotice !== undefined) {
    return (
      `${gives}: it is a feature extractor without a classifier, and cannot answer for ${classes.length} classes. ` +
      'Leave "classes" out to import its features under a condition of their own, or send the model with its last layers.'
    )
  }
  return `${gives}, but ${classes.length} classes were named for a ${kind} condition.`
}

function sameSet(a: readonly ClassLabel[], b: readonly ClassLabel[]): boolean {
  const labels = new Set(b.map((one) => one.label))
  return a.length === b.length && a.every(({ label }) => labels.has(label))
}

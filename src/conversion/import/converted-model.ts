// What a converter makes of a foreign file, before it becomes a package; and how it is fitted to a condition.

import type { Variant } from '../../architectures/architecture.ts'
import { AppError } from '../../errors.ts'
import type { ClassLabel, ConditionKind, Graph, ModelConfig } from '../../package/schema.ts'
import type { ForeignFields, InputSize } from './foreign-fields.ts'
import type { KnownCondition } from './import-job.ts'

export interface ConvertedModel {
  readonly onnx: Uint8Array
  readonly graph: Omit<Graph, 'file'>
  readonly input: InputSize
  /** Numbers that the model gives for one image. */
  readonly outputCount: number
  /** Its last activation, where that can be told. */
  readonly lastActivation: 'sigmoid' | 'softmax' | undefined
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

export interface ModelMeaning {
  readonly kind: ConditionKind
  readonly classes: readonly ClassLabel[]
}

/**
 * What the outputs mean: the condition's kind and classes where it is there already, else what was said, else what the
 * file tells. @throws AppError `invalid` in a sentence that says what does not fit
 */
export function meaningOf(
  model: ConvertedModel,
  { fields, condition }: { fields: ForeignFields; condition: KnownCondition | undefined },
): ModelMeaning {
  const kind = condition?.kind ?? fields.kind ?? guessedKind(model)
  const said = fields.classes ?? condition?.classes ?? ownClasses(model)
  if (!said) {
    throw new AppError(
      'invalid',
      `Name the ${model.outputCount} classes of this model in the field "classes", in the order of its outputs.`,
    )
  }
  const classes = markedClasses(kind, { said, known: condition?.classes })
  refuseOtherLabels(classes, condition?.classes)
  const outputs = kind === 'binary' ? [1, 2] : [classes.length]
  const fits = outputs.includes(model.outputCount) && (kind !== 'binary' || classes.length === 2)
  if (!fits) throw new AppError('invalid', misfit(model, { kind, classes }))
  return { kind, classes }
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

/** Marks come from the condition when only labels were sent; of two unmarked ones the second is the finding, as in Keras. */
function markedClasses(
  kind: ConditionKind,
  { said, known }: { said: readonly ClassLabel[]; known: readonly ClassLabel[] | undefined },
): readonly ClassLabel[] {
  if (said.some((one) => one.positive)) return said
  if (known && sameLabels(said, known)) return known
  if (kind !== 'binary') return said
  return said.map((one, i) => ({ ...one, positive: i === 1 }))
}

function refuseOtherLabels(
  classes: readonly ClassLabel[],
  known: readonly ClassLabel[] | undefined,
): void {
  if (!known || sameLabels(classes, known)) return
  const labels = known.map((one) => one.label).join(', ')
  throw new AppError(
    'invalid',
    `The condition's classes are ${labels.slice(0, 300)}; a model for it must have the same, in this order.`,
  )
}

function misfit(model: ConvertedModel, { kind, classes }: ModelMeaning): string {
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

function sameLabels(a: readonly ClassLabel[], b: readonly ClassLabel[]): boolean {
  return a.length === b.length && a.every((one, i) => one.label === b[i]?.label)
}

// Several models of one condition -> comparison_results.json.
import { AppError } from '../../errors.ts'
import { positiveIndex } from '../../inference/scores.ts'
import type { ClassLabel, ConditionKind } from '../../package/schema.ts'
import { comparedModel, type ModelSource, saidByImage } from './compared-model.ts'
import { comparedPairs } from './compared-pairs.ts'
import type { ComparisonResults } from './comparison-results.ts'
import { summarise } from './summary.ts'

export interface ComparisonSource extends ModelSource {
  readonly testSet: string | null
}

export interface ComparisonSubject {
  readonly condition: string
  readonly kind: ConditionKind
  readonly classes: readonly ClassLabel[]
  readonly createdAt: string
}

/** @throws AppError `invalid` when a package has no results */
export async function compareModels(
  sources: readonly ComparisonSource[],
  { condition, kind, classes, createdAt }: ComparisonSubject,
): Promise<ComparisonResults> {
  const labels = classes.map(({ label }) => label)
  const models = await Promise.all(
    sources.map(async (source) => {
      const model = await comparedModel(source)
      if (model) return model
      const detail = `${source.id} has no test results to compare; evaluate it first.`
      throw new AppError('invalid', detail)
    }),
  )
  const sets = new Set(sources.map(({ testSet }) => testSet))
  const [testSet = null] = sets.size === 1 ? sets : []
  const isSameSet = testSet !== null && testSet !== ''
  const said = await Promise.all(
    sources.map(async ({ id, packageDir }) => ({
      id,
      said: await saidByImage(packageDir, labels),
    })),
  )
  const curveLabel = kind === 'binary' ? (classes[positiveIndex(classes)]?.label ?? null) : null
  const isMulti = kind === 'multi-label'
  const pairs = isSameSet ? comparedPairs(said, { labels, curveLabel, isMulti }) : []
  return {
    schema: 1,
    createdAt,
    condition,
    kind,
    classes: classes.map((one) => ({ ...one })),
    dataset: datasetOf(models.map(({ configuration }) => configuration.dataset)),
    testSet: isSameSet ? testSet : null,
    images: isSameSet ? (said[0]?.said.size ?? 0) : 0,
    models,
    pairs,
    summary: summarise(models, { pairs, isSameSet }),
  }
}

function datasetOf(names: readonly unknown[]): string | null {
  const [name, ...others] = new Set(names)
  return typeof name === 'string' && others.length === 0 ? name : null
}

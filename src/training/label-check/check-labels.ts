// Labels that look wrong: features of every image from a version that was trained, then for each fold a regression that has
// not seen it. Runs in a child process of the dataset desk.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createSession, type Session } from '../../engine/session.ts'
import { AppError } from '../../errors.ts'
import { readServingConfig } from '../../package/serving-config.ts'
import type { DoubtfulLabel, LabelCheck } from '../../registry/runs/label-check.ts'
import type { Prepared } from '../dataset/prepared.ts'
import { runOne } from '../predict.ts'
import { dealFolds, FOLDS } from './folds.ts'
import { softmaxRegression } from './softmax-regression.ts'
import { findDoubts } from './suspects.ts'

const LISTED = 200
/** Fewer of a class say nothing about what it looks like. */
const MIN_OF_CLASS = 10

export interface LabelCheckOptions {
  readonly prepared: Prepared
  /** Package of the version. */
  readonly packageDir: string
  /** Its id, for the record. */
  readonly version: string
  readonly threads: number
  readonly onProgress?: (done: number, total: number) => void
}

/** @throws AppError `invalid` in one sentence */
export async function checkLabels(o: LabelCheckOptions): Promise<LabelCheck> {
  const { prepared, version, onProgress } = o
  const { images, kind, classes, seed, fingerprint } = prepared.index
  for (const [k, { label }] of classes.entries()) {
    const n = images.filter((image) => image.classes.includes(k)).length
    if (n < MIN_OF_CLASS) {
      throw new AppError(
        'invalid',
        `"${label}" has ${n} images; at least ${MIN_OF_CLASS} of each class are needed to tell which labels look wrong.`,
      )
    }
  }
  const total = images.length + FOLDS
  const rows = await featuresOf(o, (done) => onProgress?.(done, total))
  const folds = dealFolds(images, seed)
  const questions = questionsOf(kind, classes.length)
  const probabilities = questions.map(() => images.map((): number[] => []))
  for (let fold = 0; fold < FOLDS; fold++) {
    const held = [...images.keys()].filter((at) => folds[at] === fold)
    const seen = [...images.keys()].filter((at) => folds[at] !== fold)
    for (const [q, { labelOf, outcomes }] of questions.entries()) {
      const train = {
        rows: seen.map((at) => rows[at] as Float32Array),
        labels: seen.map((at) => labelOf(images[at]?.classes ?? [])),
      }
      const answers = softmaxRegression(train, {
        rows: held.map((at) => rows[at] as Float32Array),
        classes: outcomes,
      })
      for (const [i, at] of held.entries()) {
        ;(probabilities[q] as number[][])[at] = answers[i] as number[]
      }
    }
    onProgress?.(images.length + fold + 1, total)
  }
  const doubtful: DoubtfulLabel[] = []
  let right = 0
  for (const [q, { labelOf, nameOf }] of questions.entries()) {
    const labels = images.map((image) => labelOf(image.classes))
    const answers = probabilities[q] as number[][]
    right += answers.filter((row, at) => row.indexOf(Math.max(...row)) === labels[at]).length
    for (const doubt of findDoubts(labels, answers)) {
      const image = images[doubt.at]
      doubtful.push({
        file: image?.file ?? '',
        split: image?.split ?? 'train',
        given: nameOf(doubt.given, classes),
        suggested: nameOf(doubt.suggested, classes),
        givenProbability: doubt.givenProbability,
        suggestedProbability: doubt.suggestedProbability,
        sure: doubt.sure,
      })
    }
  }
  if (questions.length > 1) {
    doubtful.sort((a, b) => a.givenProbability - b.givenProbability)
  }
  return {
    version,
    fingerprint,
    images: images.length,
    folds: FOLDS,
    accuracy: right / (images.length * questions.length),
    count: doubtful.length,
    sure: doubtful.filter(({ sure }) => sure).length,
    labels: doubtful.slice(0, LISTED),
  }
}

interface Question {
  readonly outcomes: number
  readonly labelOf: (classes: readonly number[]) => number
  readonly nameOf: (outcome: number, classes: readonly { readonly label: string }[]) => string
}

/** Which class? For labels that do not exclude each other: this one, yes or no? */
function questionsOf(kind: string, count: number): Question[] {
  if (kind !== 'multi-label') {
    return [
      {
        outcomes: count,
        labelOf: (classes) => classes[0] ?? 0,
        nameOf: (k, classes) => classes[k]?.label ?? '',
      },
    ]
  }
  return Array.from({ length: count }, (_, k) => ({
    outcomes: 2,
    labelOf: (classes: readonly number[]) => (classes.includes(k) ? 1 : 0),
    nameOf: (outcome: number, classes: readonly { readonly label: string }[]) =>
      `${outcome === 1 ? '' : 'not '}${classes[k]?.label ?? ''}`,
  }))
}

/** The last feature map of the version, averaged over its places: [images][F]. */
async function featuresOf(
  { prepared, packageDir, version, threads }: LabelCheckOptions,
  onProgress: (done: number) => void,
): Promise<Float32Array[]> {
  const { model } = await readServingConfig(packageDir)
  const { input, outputs, file } = model.graph
  const output = outputs.features
  if (!output) {
    throw new AppError(
      'invalid',
      `${version} gives no feature map; choose a version that was trained here.`,
    )
  }
  const session: Session = await createSession(await readFile(join(packageDir, file)), { threads })
  const rows: Float32Array[] = []
  try {
    for (const image of prepared.index.images) {
      const all = await runOne(session, { prepared, image, inputName: input.name })
      const { data, dims } = all[output] ?? { data: new Float32Array(), dims: [1, 1, 1, 0] }
      const size = dims.at(-1) ?? 0
      const mean = new Float32Array(size)
      for (let at = 0; at < data.length; at++) {
        mean[at % size] = (mean[at % size] as number) + (data[at] as number) / (data.length / size)
      }
      rows.push(mean)
      onProgress(rows.length)
    }
  } finally {
    await session.release()
  }
  return rows
}

// A scanned folder -> a prepared dataset: every file decoded and preprocessed once, broken and repeated ones set aside with
// the reason, split, fingerprinted. Runs in the training process, never in the server's (decoders see hostile files).
import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { uniformAt } from '../../engine/random/counter-random.ts'
import { counterOf, PURPOSE } from '../../engine/random/draw-purposes.ts'
import { AppError, isAppError, messageOf } from '../../errors.ts'
import { decodeImage } from '../../imaging/decode.ts'
import type { ImageLimits } from '../../imaging/pixels.ts'
import { preprocess } from '../../imaging/preprocess.ts'
import { type Preprocessing, preprocessingDigest } from '../../imaging/preprocessing.ts'
import type { UncertainLabels } from '../../registry/runs/datasets.ts'
import { excluder } from './files/exclude-patterns.ts'
import { fingerprint } from './fingerprint.ts'
import { thumbnailOf } from './inspect-image.ts'
import { type ConditionClasses, checkClasses, findClassIndices, guessClasses } from './labels.ts'
import { findLeaks, linkedGroups, rankOf } from './leaks.ts'
import { nearDuplicates, type Thumbnail } from './near-duplicates.ts'
import { chooseStorage, PixelWriter } from './pixel-store.ts'
import type { PreparedImage, PreparedIndex } from './prepared.ts'
import { type LabelledFile, scanDataset } from './scan.ts'
import { splitImages } from './split.ts'

const LIMITS: ImageLimits = { maxBytes: 256 * 1024 * 1024, maxPixels: 100_000_000 }

export interface PrepareOptions {
  readonly dir: string
  /** Emptied files are written here; index.json comes last. */
  readonly outDir: string
  /** What the dataset is called in reports. */
  readonly name: string
  readonly preprocessing: Preprocessing
  readonly seed: number
  /** The condition's kind and classes; without them they are guessed from the labels. */
  readonly classes?: ConditionClasses
  /** Which of two classes is the finding, where their names do not tell. */
  readonly positive?: string
  /** Of labels that a table is not sure about; left out by default. */
  readonly uncertain?: UncertainLabels
  /** At most so many images of each class, chosen by the seed. */
  readonly maxPerClass?: number
  /** Paths below `dir`, or patterns with `*`, `?` and `**`, that are left out by hand. */
  readonly exclude?: readonly string[]
  readonly limits?: ImageLimits
  /** Waited for: a run that is paused holds its preparation there. */
  readonly onProgress?: (done: number, total: number) => void | Promise<void>
}

interface Decoded extends Omit<PreparedImage, 'split'>, Thumbnail {
  readonly given: LabelledFile['split']
}

/** @throws AppError `invalid` with one sentence when nothing can be trained on it */
export async function prepareDataset(options: PrepareOptions): Promise<PreparedIndex> {
  const { dir, outDir, preprocessing, seed } = options
  const isExcluded = excluder(options.exclude ?? [])
  const known = options.classes?.classes.map(({ label }) => label)
  const scan = await scanDataset(dir, {
    ...(known && { classes: known }),
    ...(options.uncertain && { uncertain: options.uncertain }),
  })
  const several = scan.files.some(({ labels }) => labels.length > 1)
  const classes =
    options.classes ??
    guessClasses(
      scan.classes.map((one) => one.label),
      { severalPerImage: several, ...(options.positive && { positive: options.positive }) },
    )
  checkClasses(classes)
  const [excluded, wanted] = divide(scan.files, ({ file }) => isExcluded(file))
  const files = chooseFiles(wanted, options)
  await mkdir(outDir, { recursive: true })
  const shape = [preprocessing.height, preprocessing.width, preprocessing.channels] as const
  const storage = chooseStorage(shape, files.length)
  const writer = await PixelWriter.open(join(outDir, storage.file), storage)
  const read = await readFiles(files, { ...options, classes, writer }).finally(() => writer.close())
  const { kept: whole, duplicates, conflicts } = setDuplicatesAside(read.decoded)
  const near = nearDuplicates(whole)
  const groups = linkedGroups(whole, near)
  const leaks = findLeaks(whole, groups)
  const leaking = new Set(leaks.map(({ index }) => index))
  const linked = whole.map((image, at) => ({ image, group: groups[at] ?? null }))
  const kept = linked.filter((_, at) => !leaking.has(at))
  const plan = splitImages(
    kept.map(({ image, group }) => ({ ...image, group })),
    seed,
  )
  const images = kept.map(({ image: { given: _, blocks: __, ...image } }, at) => {
    return { ...image, split: plan.splits[at] ?? 'train' } satisfies PreparedImage
  })
  const index: PreparedIndex = {
    schema: 1,
    name: options.name,
    createdAt: new Date().toISOString(),
    seed,
    layout: scan.layout,
    ...classes,
    preprocessing,
    preprocessingSha256: preprocessingDigest(preprocessing),
    storage,
    rows: read.decoded.length,
    images,
    setAside: [
      ...read.setAside,
      ...conflicts,
      ...leaks.map(({ index, reason }) => ({ file: whole[index]?.file ?? '', reason })),
      ...excluded.map(({ file }) => ({ file, reason: 'Excluded by user.' })),
    ],
    duplicates,
    notes: [...plan.notes, ...notesOn({ leaks: leaks.length, near: near.length })],
    warnings: scan.warnings,
    fingerprint: fingerprint(images),
    testSet: fingerprint(images.filter(({ split }) => split === 'test')),
  }
  checkEnough(index)
  const path = join(outDir, 'index.json')
  await writeFile(`${path}.part`, JSON.stringify(index))
  await rename(`${path}.part`, path)
  return index
}

function notesOn({ leaks, near }: { readonly leaks: number; readonly near: number }): string[] {
  return [
    ...(leaks > 0
      ? [
          `${leaks} images are left out because their patient, or almost the same image, is in a split of the dataset’s own that is reported on.`,
        ]
      : []),
    ...(near > 0
      ? [`${near} pairs of almost equal images were kept on one side of the split.`]
      : []),
  ]
}

/** Those that are so, and the others. */
function divide<T>(items: readonly T[], isSo: (item: T) => boolean): [T[], T[]] {
  return [items.filter(isSo), items.filter((item) => !isSo(item))]
}

function chooseFiles(files: readonly LabelledFile[], o: PrepareOptions): LabelledFile[] {
  const { maxPerClass, seed } = o
  if (maxPerClass === undefined) return [...files]
  const taken = new Map<string, number>()
  const drawn = files.map((file) => ({
    file,
    draw: uniformAt(seed, PURPOSE.sample, counterOf(file.file)),
  }))
  return drawn
    .sort((a, b) => a.draw - b.draw || (a.file.file < b.file.file ? -1 : 1))
    .map(({ file }) => file)
    .filter(({ labels }) => {
      const key = labels.join('|')
      const count = (taken.get(key) ?? 0) + 1
      taken.set(key, count)
      return count <= maxPerClass
    })
}

interface ReadContext extends PrepareOptions {
  readonly classes: ConditionClasses
  readonly writer: PixelWriter
}

async function readFiles(
  files: readonly LabelledFile[],
  context: ReadContext,
): Promise<{ decoded: Decoded[]; setAside: { file: string; reason: string }[] }> {
  const decoded: Decoded[] = []
  const setAside: { file: string; reason: string }[] = []
  for (const [done, file] of files.entries()) {
    try {
      decoded.push(await readOne(file, context))
    } catch (error) {
      setAside.push({
        file: file.file,
        reason: isAppError(error) ? error.message : `It cannot be read: ${messageOf(error)}`,
      })
    }
    await context.onProgress?.(done + 1, files.length)
  }
  return { decoded, setAside }
}

async function readOne(file: LabelledFile, context: ReadContext): Promise<Decoded> {
  const classes = findClassIndices(file.labels, context.classes)
  if (!classes) {
    const label = file.labels.join(', ') || 'nothing'
    throw new AppError('invalid', `It is labelled ${label}, which is not a class of the condition.`)
  }
  const bytes = await readFile(join(context.dir, file.file)).catch((error: unknown) => {
    throw new AppError('invalid', 'The file may not be read.', { cause: error })
  })
  const image = await decodeImage(bytes, context.limits ?? LIMITS)
  return {
    row: await context.writer.append(preprocess(image.pixels, context.preprocessing)),
    file: file.file,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    bytes: bytes.length,
    classes,
    group: file.group,
    given: file.split,
    width: image.pixels.width,
    height: image.pixels.height,
    bits: image.pixels.maxValue === 255 ? 8 : 16,
    format: image.format,
    blocks: thumbnailOf(image.pixels),
  }
}

/** Of equal files one is kept, that of a split that is reported on before others; when their labels differ none is, for one of them must be wrong. */
function setDuplicatesAside(decoded: readonly Decoded[]): {
  kept: Decoded[]
  duplicates: { file: string; of: string }[]
  conflicts: { file: string; reason: string }[]
} {
  const bySha = Map.groupBy(decoded, ({ sha256 }) => sha256)
  const kept: Decoded[] = []
  const duplicates: { file: string; of: string }[] = []
  const conflicts: { file: string; reason: string }[] = []
  for (const copies of bySha.values()) {
    const [first, ...others] = copies.toSorted((a, b) => rankOf(b) - rankOf(a))
    if (!first) continue
    const other = others.find((one) => one.classes.join() !== first.classes.join())
    if (other) {
      for (const one of [first, ...others]) {
        const reason = 'The same image has different labels; one of them must be wrong.'
        conflicts.push({ file: one.file, reason })
      }
    } else {
      kept.push(first)
      duplicates.push(...others.map((one) => ({ file: one.file, of: first.file })))
    }
  }
  return { kept, duplicates, conflicts }
}

function checkEnough({ images, classes, setAside }: PreparedIndex): void {
  const trained = images.filter(({ split }) => split === 'train')
  const lacking = classes.find((_, index) => !trained.some((one) => one.classes.includes(index)))
  if (!lacking) return
  const broken = setAside.length > 0 ? `; ${setAside.length} files were excluded` : ''
  throw new AppError(
    'invalid',
    `No usable image of class "${lacking.label}" is left to train on${broken}.`,
  )
}

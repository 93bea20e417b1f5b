// The end of a model card: what it was made with, and every file of its folder with what it is for.
import { appendFile, stat } from 'node:fs/promises'
import os from 'node:os'
import { join } from 'node:path'
import { ONNX_RUNTIME_VERSION } from '../../../engine/session.ts'
import { listFiles } from '../../../package/package-paths.ts'
import { readableBytes, readableDuration } from '../known.ts'
import { productVersion } from '../machine/installed-packages.ts'
import type { PackageContext } from '../package-context.ts'

const CARD = 'README.md'

/** The first that fits says what a file is. */
const MEANINGS: readonly (readonly [RegExp, string])[] = [
  [/^models\/.*\.onnx$/, 'the network as ONNX: what the server runs'],
  [/^models\/.*\.weights\.h5$/, 'its weights alone, for Keras'],
  [/^models\/.*\.(keras|h5)$/, 'the network for Keras'],
  [/^models\/tfjs\//, 'the network for TensorFlow.js'],
  [/^models\/checkpoint\//, 'weights of the last and the best epoch, and the optimizer’s state'],
  [/^configs\/model\.json$/, 'how the graph is read'],
  [/^configs\/architecture\.json$/, 'the network layer by layer'],
  [/^configs\/train\.json$/, 'every setting of the training, seeds, limits'],
  [/^configs\/optimizer\.json$/, 'the optimizer and what its state is'],
  [/^configs\/preprocessing\.json$/, 'what is done to an image first'],
  [/^configs\/familiarity\./, 'how an image unlike the training images is noticed'],
  [/^results\/results_summary\.json$/, 'all figures of this page, for programs'],
  [/^results\/training_history\./, 'every epoch'],
  [/^results\/convergence\.json$/, 'best and worst values, improvement, steadiness'],
  [/^results\/per_class_metrics\.csv$/, 'the table of classes'],
  [/^results\/predictions\.csv$/, 'the answer to each test image'],
  [/^results\/dataset_stats\.json$/, 'what the images are like'],
  [/^results\/dataset_files\.csv$/, 'every image, its digest and its split'],
  [/^results\/weight_statistics\.json$/, 'numbers about the weights of each layer'],
  [/^results\/environment\.json$/, 'machine, engine, libraries, state of the source'],
  [/^results\/resources\.json$/, 'processor and memory while it trained, against target'],
  [/^results\/thermal\.json$/, 'temperatures and thermal pauses'],
  [/^results\/model_summary\.txt$/, 'the layers as a table'],
  [/^results\/SUMMARY\.txt$/, 'the run on one page'],
  [/^results\/precision\.json$/, 'int8 beside float32'],
  [/^results\/golden/, 'images with the outputs that this very graph gave, replayed at every load'],
  [/\.(png|pdf)$/, 'a plot, for papers and slides'],
]

/** After everything but metadata and manifest. */
export async function writeInventory(c: PackageContext): Promise<void> {
  const rows: string[] = []
  for (const path of await listFiles(c.dir)) {
    if (path === CARD) continue
    const { size } = await stat(join(c.dir, path))
    const meaning = MEANINGS.find(([pattern]) => pattern.test(path))?.[1] ?? ''
    rows.push(`| \`${path}\` | ${readableBytes(size)} | ${meaning} |`)
  }
  const section = `
## Environment

${(await technicalDetails(c)).map((line) => `- ${line}`).join('\n')}

## Files

| file | size | what |
| --- | --- | --- |
${rows.join('\n')}
| \`results/metadata.json\` | – | times, sizes, SHA-256 and MD5 of every file above |
| \`manifest.json\` | – | the same of every file; its own SHA-256 is the version’s digest |
`
  await appendFile(join(c.dir, CARD), section)
}

async function technicalDetails(c: PackageContext): Promise<string[]> {
  const { observed, job } = c
  const seconds = (c.endedAt.getTime() - c.startedAt.getTime()) / 1000
  const threads = `${job.threads} ${job.threads === 1 ? 'thread' : 'threads'}`
  const engine =
    c.engine === 'onnx' ? `ONNX Runtime ${ONNX_RUNTIME_VERSION}, ${threads}` : 'TensorFlow'
  const cpus = os.cpus()
  const gpus = observed.gpus.map(({ name }) => name)
  const { length: breaks } = observed.breaks
  return [
    `Roentgen ${await productVersion()}, Node ${process.version}, ${engine}; every library is in \`results/environment.json\``,
    `${os.type()} ${os.release()} (${os.arch()}), ${cpus.length} x ${cpus[0]?.model.trim() ?? 'unknown'}, ${readableBytes(os.totalmem())} of memory${gpus.length > 0 ? `, ${gpus.join(', ')}` : ''}`,
    `${readableDuration(seconds)}, at most ${readableBytes(c.peakMemoryBytes)} of memory, ${breaks === 0 ? 'no thermal pause' : breaks === 1 ? 'one thermal pause' : `${breaks} thermal pauses`}`,
    `Ended ${c.endedAt.toISOString()}`,
  ]
}

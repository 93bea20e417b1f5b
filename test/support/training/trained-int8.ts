// A small model trained in this process on drawn images, with its graph in eight bits: the package, and what it was made of.
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TrainingJob } from '../../../src/training/job.ts'
import { runJob } from '../../../src/training/run-job.ts'
import { drawDataset } from './drawn-dataset.ts'

export interface TrainedInt8 {
  readonly root: string
  readonly packageDir: string
  readonly sha256: string
  /** The prepared dataset. */
  readonly preparedDir: string
  readonly remove: () => Promise<void>
}

export async function trainInt8(change: Partial<TrainingJob> = {}): Promise<TrainedInt8> {
  const root = await mkdtemp(join(tmpdir(), 'roentgen-int8-'))
  const [workDir, packageDir] = [join(root, 'work'), join(root, 'package')]
  const place = join(root, 'prepared')
  const job: TrainingJob = {
    id: 'int8',
    condition: { id: 'spots', name: 'Spots', bodyPart: 'chest' },
    datasetDir: await drawDataset(join(root, 'spots'), 110),
    datasetName: 'spots',
    architecture: 'tiny_cnn',
    preset: 'quick',
    threads: 1,
    hyperparameters: { batchSize: 16, imageSize: 32, learningRate: 3e-3, epochs: 3, int8: true },
    workDir,
    packageDir,
    prepared: { dir: place, seed: 42, maxPerClass: null, exclude: [] },
    ...change,
  }
  const { sha256 } = await runJob(job, { control: { wish: 'go on' }, report: () => {} })
  const [folder = ''] = await readdir(place)
  const remove = () => rm(root, { recursive: true, force: true })
  return { root, packageDir, sha256, preparedDir: join(place, folder), remove }
}

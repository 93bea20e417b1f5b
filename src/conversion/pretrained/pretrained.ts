// What a run starts from besides random numbers: pretrained weights that are kept here, and what goes with them - details of
// the network, channels, scaling of pixels. Putting the numbers into the network is adopt-pretrained.ts.

import type { Architecture } from '../../architectures/architecture.ts'
import { AppError } from '../../errors.ts'
import { resolveWeights, type StoredWeights } from './weights-store.ts'

/** `weights` of a run that starts from random numbers. */
export const NO_WEIGHTS = 'none'
/** What is usual when the backbone brings weights: its last layers are trained, its batch normalisation is not. */
export const WITH_PRETRAINED = { trainedLayers: 20, batchNorm: 'frozen' } as const

export interface WantedStart {
  /** Of the hyperparameters. */
  readonly weights: string | undefined
  readonly channels?: 1 | 3 | null | undefined
  readonly imageSize?: number | undefined
  /** The version that the run starts from instead. */
  readonly initFrom?: string | null | undefined
}

/**
 * The weights that a run of `architecture` starts from; null for random ones.
 * @throws AppError `invalid` with what to do: not there, of another architecture, for other images
 */
export async function pretrainedFor(
  dataDir: string | undefined,
  {
    architecture,
    ...o
  }: WantedStart & { readonly architecture: Pick<Architecture, 'name' | 'title'> },
): Promise<StoredWeights | null> {
  const wanted = o.weights ?? NO_WEIGHTS
  if (wanted === NO_WEIGHTS) return null
  if (o.initFrom) {
    throw refused(`The run starts from ${o.initFrom}, which has weights; leave the others out.`)
  }
  if (dataDir === undefined) throw new Error('no folder for weights')
  const found = await resolveWeights(dataDir, { wanted, architecture: architecture.name })
  if (o.channels && o.channels !== found.channels) {
    const images = found.channels === 3 ? 'colour' : 'grey'
    throw refused(
      `The weights "${found.name}" look at ${images} images with ${found.channels} channels (grey ones are repeated); leave "channels" out.`,
    )
  }
  if (found.imageSize !== null && o.imageSize !== undefined && o.imageSize !== found.imageSize) {
    throw refused(
      `The weights "${found.name}" fit images of ${found.imageSize} px only; leave the image size out.`,
    )
  }
  return found
}

function refused(message: string): AppError {
  return new AppError('invalid', message, { extra: { field: 'weights' } })
}

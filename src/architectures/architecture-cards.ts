// What can be trained, as cards for people. The catalogue needs TF.js, which is never loaded in the web process, so a child
// process reads it once.
import { AppError } from '../errors.ts'
import { askChild } from '../processes/child-answer.ts'
import type { Architecture } from './architecture.ts'

export interface ArchitectureCard
  extends Pick<
    Architecture,
    'name' | 'title' | 'purpose' | 'inputSize' | 'channels' | 'parameters'
  > {
  /** Multiplications of one image of `inputSize`, in thousand millions. */
  readonly gigaMacs: number
  /** What its layers put out for one such image. */
  readonly activationMegabytes: number
}

const READER = new URL('./read-catalogue.ts', import.meta.url)

let cards: Promise<readonly ArchitectureCard[]> | undefined

/** In the order of the catalogue; takes some seconds the first time. @throws AppError `unavailable` */
export function architectureCards(): Promise<readonly ArchitectureCard[]> {
  cards ??= readCatalogue().catch((error: unknown) => {
    cards = undefined
    throw error
  })
  return cards
}

/** Spelling is forgiven, as in the catalogue itself. @throws AppError `invalid` */
export async function getArchitectureCard(name: string): Promise<ArchitectureCard> {
  const fold = (text: string): string => text.toLowerCase().replace(/[\s_-]+/g, '')
  const known = await architectureCards()
  const found = known.find((one) => fold(one.name) === fold(name))
  if (found) return found
  const names = known.map((one) => one.name).join(', ')
  throw new AppError(
    'invalid',
    `"${name.slice(0, 80)}" cannot be trained; available architectures: ${names}.`,
    { extra: { field: 'architecture' } },
  )
}

async function readCatalogue(): Promise<readonly ArchitectureCard[]> {
  try {
    return await askChild({ worker: READER, request: null })
  } catch (cause) {
    const message = 'The list of architectures could not be read; run "roentgen doctor".'
    throw new AppError('unavailable', message, { cause })
  }
}

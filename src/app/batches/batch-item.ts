// One image of a batch, wherever it lies: its name is for the sender alone, its bytes are read when its turn comes.
import type { PredictionRequest } from '../diagnosis/predict-image.ts'

export interface BatchItem {
  /** As the sender named it; shown back to nobody else, never used as a path. */
  readonly name: string
  /** @throws AppError `upload-too-large`, `undecodable-image` */
  readonly read: () => Promise<Uint8Array>
}

export interface BatchSource {
  /** In the order in which they are read. */
  readonly items: readonly BatchItem[]
  /** Safe to call twice. */
  close(): Promise<void>
}

export interface Batch extends BatchSource {
  readonly request: Omit<PredictionRequest, 'image'>
  /** The items' names say something that the sender cannot know from the order. */
  readonly isNamed: boolean
}

/** Images of one zip or folder; a batch runs for hours then. */
export const MAX_ITEMS = 10_000

/** In the order that people expect of numbered files: 2 before 10. */
export function inNameOrder(a: string, b: string): number {
  return COLLATOR.compare(a, b)
}

const COLLATOR = new Intl.Collator('en', { numeric: true })

/** What operating systems add of their own. */
export function isClutter(name: string): boolean {
  return (
    name.split('/').some((part) => part.startsWith('.') || part === '__MACOSX') ||
    /(^|\/)(thumbs\.db|desktop\.ini)$/i.test(name)
  )
}

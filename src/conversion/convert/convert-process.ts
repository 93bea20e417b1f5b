// A conversion in a process of its own, which is ended when it takes too long: the parent's side.
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { AppError, type ErrorCode } from '../../errors.ts'
import { askChild } from '../../processes/child-answer.ts'
import { timeFor } from '../import/conversion-time.ts'
import type { ModelFormat } from './write-model.ts'

export interface Conversion {
  /** A model file or folder, or the folder of a package. */
  readonly from: { readonly path: string } | { readonly packageDir: string }
  readonly to: ModelFormat
  readonly out: string
}

export interface ConversionJob extends Conversion {
  /** An empty folder for what is unpacked. */
  readonly workDir: string
}

/** Null when it is done. */
export type ConversionAnswer = { readonly code: ErrorCode; readonly message: string } | null

const WORKER = new URL('./convert-worker.ts', import.meta.url)

/** @throws AppError `invalid`, `invalid-package` in one sentence */
export async function convertApart(
  conversion: Conversion,
  { timeoutMs }: { readonly timeoutMs?: number } = {},
): Promise<void> {
  const { from, out } = conversion
  await mkdir(dirname(out), { recursive: true })
  const workDir = await mkdtemp(join(tmpdir(), 'roentgen-convert-'))
  try {
    const problem = await askChild<ConversionAnswer>({
      worker: WORKER,
      request: { ...conversion, workDir } satisfies ConversionJob,
      confined: {
        mayRead: ['path' in from ? readable(from.path) : from.packageDir],
        mayWrite: [workDir, dirname(out)],
      },
      timeoutMs: timeoutMs ?? (await timeFor('path' in from ? from.path : from.packageDir)),
    }).catch((cause: unknown) => {
      const message = 'The model could not be converted: it takes too long or too much memory.'
      throw new AppError('invalid-package', message, { cause })
    })
    if (problem) throw new AppError(problem.code, problem.message)
  } finally {
    await rm(workDir, { recursive: true, force: true })
  }
}

/** The shards of a model.json lie beside it. */
function readable(path: string): string {
  return basename(path) === 'model.json' ? dirname(path) : path
}

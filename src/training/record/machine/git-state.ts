// Which state of a source tree was used: of the product, and of the dataset's folder where that is under version control.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { z } from 'zod'
import { type Absent, absent, valueOrReason } from '../known.ts'

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url))
const TIMEOUT_MS = 10_000

export const GitStateSchema = z.strictObject({
  branch: z.string(),
  commit: z.string(),
  /** Whether files that are under version control were changed after the commit. */
  changed: z.boolean(),
  status: z.string(),
})
export type GitState = z.infer<typeof GitStateSchema>
export const GitSchema = z.strictObject({
  product: valueOrReason(GitStateSchema),
  dataset: valueOrReason(GitStateSchema),
})

export async function describeGit(datasetDir: string): Promise<z.infer<typeof GitSchema>> {
  return {
    product: await gitStateOf(ROOT, {
      part: 'src',
      otherwise: 'Roentgen was not started from a git checkout.',
    }),
    dataset: await gitStateOf(datasetDir, {
      part: '.',
      otherwise: 'The folder of images is not under version control.',
    }),
  }
}

async function gitStateOf(
  dir: string,
  { part, otherwise }: { readonly part: string; readonly otherwise: string },
): Promise<GitState | Absent> {
  const git = async (...args: string[]): Promise<string> => {
    const options = { cwd: dir, timeout: TIMEOUT_MS, maxBuffer: 64 * 1024 * 1024 }
    return (await promisify(execFile)('git', args, options)).stdout.trim()
  }
  try {
    // A folder that git ignores lies in a work tree and is not under version control all the same.
    if ((await git('ls-files', '--', part)) === '') return absent(otherwise)
    const status = await git('status', '--porcelain', '--untracked-files=no', '--', part)
    const files = status === '' ? 0 : status.split('\n').length
    return {
      branch: await git('rev-parse', '--abbrev-ref', 'HEAD'),
      commit: await git('rev-parse', 'HEAD'),
      changed: files > 0,
      status: files > 0 ? `${files} files changed after the commit` : 'as committed',
    }
  } catch {
    return absent(otherwise)
  }
}

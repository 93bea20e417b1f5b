// Synthetic data say what they are in their dataset.json; what was trained on them must say it too.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

export async function noticeOfDataset(datasetDir: string): Promise<string | undefined> {
  try {
    const { notice } = JSON.parse(await readFile(join(datasetDir, 'dataset.json'), 'utf8'))
    return typeof notice === 'string' ? notice : undefined
  } catch {
    return undefined
  }
}

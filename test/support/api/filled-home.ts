// A home with versions, labelled images and an archive that may send, for tests that ask every operation of the API.
import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { image } from '../../inference/tiny-package.ts'
import { type Folders, homeFolders, jsonOf, openedHome, storePackage } from '../home.ts'
import { drawDataset } from '../training/drawn-dataset.ts'
import type { ApiDocument } from './openapi-answers.ts'

const MODELS = fileURLToPath(new URL('../../../models/', import.meta.url))

export type Call = (path: string, init?: RequestInit) => Promise<Response>

/** Versions, labelled images and an archive that may send. */
export async function filledHome(t: TestContext) {
  const made = await homeFolders(t)
  const env = { ROENTGEN_DICOM_STOW: '1', ROENTGEN_NOTIFY_PRIVATE: '1' }
  const folders: Folders = { ...made, env: { ...made.env, ...env } }
  const a = await storePackage(folders, { seed: 1, accuracy: 0.9 })
  const b = await storePackage(folders, { seed: 2, accuracy: 0.9 })
  for (const name of ['pneumonia/tiny-cnn-demo', 'pneumonia/tiny-mobilenet-demo']) {
    await cp(join(MODELS, name), join(folders.modelsDir, name), { recursive: true })
  }
  const root = join(folders.root, 'datasets')
  await drawDataset(join(root, 'spots'), 40)
  for (let seed = 1; seed <= 24; seed++) {
    const dir = join(root, 'chest', seed % 2 ? 'NORMAL' : 'PNEUMONIA')
    await mkdir(dir, { recursive: true })
    await writeFile(join(dir, `${seed}.png`), await image(seed))
  }
  await writeFile(join(root, 'chest', 'NORMAL', 'broken.png'), 'no image')
  const opened = await openedHome(folders)
  return { ...opened, folders, a, b }
}

export async function documentOf(call: Call): Promise<ApiDocument> {
  return jsonOf<ApiDocument>(await call('/api/v1/openapi.json'))
}

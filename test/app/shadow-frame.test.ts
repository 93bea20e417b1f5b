// A challenger that prepares images otherwise decodes the upload again: the same frame as was asked for, not the first.
import assert from 'node:assert/strict'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import test from 'node:test'
import sharp from 'sharp'
import { predictImage } from '../../src/app/diagnosis/predict-image.ts'
import { readManifest, writeManifest } from '../../src/package/manifest.ts'
import { activateVersion } from '../../src/registry/activation/activate.ts'
import { setChallenger } from '../../src/registry/challenger/challenger.ts'
import { getVersion } from '../../src/registry/versions/versions.ts'
import { image } from '../inference/tiny-package.ts'
import {
  type Folders,
  homeFolders,
  madePackage,
  openedHome,
  storePackage,
} from '../support/home.ts'

const ANNA = { by: 'anna', via: 'api' } as const
const RIVAL = { condition: 'pneumonia', name: 'tiny', n: 2 }

/** As the others, but pixels are scaled otherwise. */
async function rival(folders: Folders): Promise<void> {
  const made = await madePackage(folders, { seed: 2, accuracy: 0.9, golden: 0 })
  const file = join(made.dir, 'configs/preprocessing.json')
  const preprocessing = JSON.parse(await readFile(file, 'utf8')) as { mean: number[] }
  await writeFile(file, JSON.stringify({ ...preprocessing, mean: [0.25] }))
  const { manifest } = await readManifest(made.dir)
  const { schema: _, files: __, ...fields } = manifest
  await writeManifest(made.dir, fields)
  const dir = join(folders.modelsDir, 'pneumonia/tiny/v2')
  await mkdir(dirname(dir), { recursive: true })
  await rename(made.dir, dir)
}

test('a shadow with a preprocessing of its own predicts on the frame that was asked for', async (t) => {
  const folders = await homeFolders(t)
  await storePackage(folders, { seed: 1, accuracy: 0.9 })
  await rival(folders)
  const { home } = await openedHome(folders)
  const [version, challenger] = [
    await getVersion(home.db, { ...RIVAL, n: 1 }),
    await getVersion(home.db, RIVAL),
  ]
  const condition = 'pneumonia'
  await activateVersion(home, { condition, version, reason: 'first', ...ANNA })
  const shadow = { version: challenger, mode: 'shadow' } as const
  await setChallenger(home, { condition, challenger: shadow, actor: ANNA })
  const pages = [await image(1), await image(2)].map((bytes) => Buffer.from(bytes))
  const file = await sharp(pages, { join: { animated: true } })
    .tiff({ compression: 'none' })
    .toBuffer()
  const request = { condition, image: file, explain: 'none' } as const
  const { id } = await predictImage(home, { ...request, frame: 2 })
  await home.shadow.whenIdle()
  const pairs = await home.db.selectFrom('challenger_pairs').selectAll().execute()
  assert.deepEqual(
    pairs.map(({ prediction }) => prediction),
    [id],
  )
  const of = async (frame: number) => {
    const { classes } = await predictImage(home, { ...request, frame, version: challenger.id })
    return classes.find(({ label }) => label === pairs[0]?.label)?.probability
  }
  assert.equal(pairs[0]?.challenger_p, await of(2))
  assert.notEqual(await of(1), await of(2))
})

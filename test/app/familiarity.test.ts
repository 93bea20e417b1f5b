// What is outside the range is said to be so: trained for real on drawn chests, asked over the whole serving path.
import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import test from 'node:test'
import sharp from 'sharp'
import { predictImage } from '../../src/app/diagnosis/predict-image.ts'
import { FamiliaritySchema } from '../../src/package/schema.ts'
import { openStore } from '../../src/registry/home/store.ts'
import { synthesise } from '../../src/synthetic/dataset.ts'
import { trainOnce } from '../../src/training/train-once.ts'
import { type Folders, homeFolders, openedHome, storePackage } from '../support/home.ts'

const SIDE = 64

async function drawn(root: string, o: { condition: string; count: number; seed: number }) {
  const outDir = join(root, 'drawn', `${o.condition}-${o.seed}`)
  await synthesise({ ...o, size: SIDE, outDir })
  const files = await readdir(outDir, { recursive: true })
  const pictures = files.filter((file) => file.endsWith('.png') && !file.startsWith('masks'))
  return { outDir, images: await Promise.all(pictures.map((file) => readFile(join(outDir, file)))) }
}

/** Trains on chests and puts the package where the store has it. */
async function trainedPackage({ root, modelsDir, dataDir }: Folders): Promise<string> {
  const { outDir } = await drawn(root, { condition: 'pneumonia', count: 300, seed: 5 })
  const { packageDir, name } = await trainOnce(
    {
      condition: { id: 'pneumonia', name: 'Pneumonia', bodyPart: 'chest' },
      datasetDir: outDir,
      datasetName: 'chests',
      architecture: 'tiny_cnn',
      preset: 'quick',
      threads: 1,
      hyperparameters: { imageSize: SIDE, epochs: 6, batchSize: 16 },
    },
    { store: await openStore({ modelsDir, dataDir }) },
  )
  const dir = join(modelsDir, 'pneumonia', name, 'v1')
  await mkdir(dirname(dir), { recursive: true })
  await rename(packageDir, dir)
  return dir
}

test('noise, skin and other body parts are unlike the chests of the training, other chests are like them', {
  timeout: 180_000,
}, async (t) => {
  const folders = await homeFolders(t)
  const dir = await trainedPackage(folders)
  const text = await readFile(join(dir, 'configs/familiarity.json'), 'utf8')
  const config = FamiliaritySchema.parse(JSON.parse(text))
  assert.equal(config.fittedOn.split, 'train')
  assert.equal(config.thresholdFrom.split, 'test')
  const { home } = await openedHome(folders)
  const version = `pneumonia/${dir.split(/[\\/]/).at(-2)}@1`
  const outside = async (images: readonly Uint8Array[]) => {
    let count = 0
    for (const bytes of images) {
      const prediction = await predictImage(home, {
        condition: 'pneumonia',
        image: bytes,
        version,
        explain: 'none',
      })
      const { familiarity, warnings } = prediction
      assert.ok(familiarity && familiarity.score > 0)
      assert.equal(familiarity.outOfDistribution, familiarity.score > 1)
      const isWarned = warnings.some((text) => text.includes('differs from the training images'))
      assert.equal(isWarned, familiarity.outOfDistribution)
      if (familiarity.outOfDistribution) count++
    }
    return count / images.length
  }
  const { root } = folders
  const others = async (condition: string, count: number) =>
    (await drawn(root, { condition, count, seed: 99 })).images
  const chests = await outside(await others('pneumonia', 60))
  assert.ok(chests <= 0.07, `${chests} of new chests, where 0.01 was asked for`)
  const skin = await outside(await others('skin-lesion', 14))
  const limbs = await outside(await others('limb-abnormality', 14))
  const knees = await outside(await others('osteoarthritis', 15))
  const noise = await outside(await Promise.all([1, 2, 3, 4, 5].map(noisy)))
  t.diagnostic(`outside: chests ${chests}, skin ${skin}, limbs ${limbs}, knees ${knees}`)
  assert.equal(noise, 1)
  for (const share of [skin, limbs]) assert.ok(share >= 0.6, `${share}`)
  // A knee is a bright thing in the middle of the dark, as a chest is: the nearest of the drawn kinds.
  assert.ok(knees > chests, `${knees}`)
})

function noisy(seed: number): Promise<Buffer> {
  let state = seed
  const data = Buffer.from({ length: SIDE * SIDE }).map(() => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    return state >>> 24
  })
  return sharp(data, { raw: { width: SIDE, height: SIDE, channels: 1 } })
    .png()
    .toBuffer()
}

test('a package from before does not know, and says so', async (t) => {
  const folders = await homeFolders(t)
  const { id } = await storePackage(folders, { seed: 1 })
  const { home } = await openedHome(folders)
  const request = { condition: 'pneumonia', image: await noisy(1), version: id }
  const prediction = await predictImage(home, request)
  assert.equal(prediction.familiarity, null)
})

// Weights that are kept: from a file, from a server of published files, and from real ImageNet weights beside the checkout.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { cp, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after } from 'node:test'
import { getArchitecture } from '../../../src/architectures/catalogue.ts'
import { adoptPretrained } from '../../../src/conversion/pretrained/adopt-pretrained.ts'
import { importWeights } from '../../../src/conversion/pretrained/import-weights.ts'
import { pretrainedFor } from '../../../src/conversion/pretrained/pretrained.ts'
import { listWeights, numbersPath } from '../../../src/conversion/pretrained/weights-store.ts'
import { loadLayersModel } from '../../../src/engine/layers-model.ts'
import { sharedPath, skipWithout } from '../../support/shared.ts'
import { answerOf, largestDifference } from '../../support/weights/answer-of.ts'
import { torchStateDict } from '../../support/weights/torch-state-dict.ts'

const root = await mkdtemp(join(tmpdir(), 'roentgen-kept-'))
after(() => rm(root, { recursive: true, force: true }))
const at = new Date('2026-11-20T22:00:00Z')
const densenet = getArchitecture('densenet121')
const statePath = join(root, 'grey.safetensors')
const state = await torchStateDict(statePath, { architecture: densenet, channels: 1, outputs: 2 })

function home(name: string): string {
  return join(root, name)
}

test('a state dict is recognised, kept without its head, and starts a training of the same network', async () => {
  const dataDir = home('grey')
  const wishes = { dataDir, path: statePath, at }
  await assert.rejects(importWeights(wishes), { code: 'invalid', message: /--preprocessing/ })
  const scaling = { scale: 1, mean: [0], std: [1], order: 'rgb' } as const
  const kept = await importWeights({ ...wishes, scaling: { ...scaling, mean: [0], std: [1] } })
  const { name, architecture, variant, channels, source } = kept
  assert.deepEqual(
    [name, architecture, variant, channels],
    ['grey', 'densenet121', 'torchvision', 1],
  )
  assert.equal(
    source.sha256,
    createHash('sha256')
      .update(await readFile(statePath))
      .digest('hex'),
  )
  assert.deepEqual(await listWeights(dataDir), [kept])
  assert.equal(kept.parameters, 7_037_504 - 2 * 64 * 49)
  const shape = { height: 64, width: 64, channels: 1, outputs: 3, seed: 5 } as const
  const model = densenet.build({ ...shape, variant: 'torchvision' })
  await adoptPretrained(model, { weights: kept, dataDir })
  const get = (layer: string) => model.getLayer(layer).getWeights()[0]?.dataSync() as Float32Array
  // [out, in, 1, 1] of PyTorch is [1, 1, in, out] here.
  const theirs = state.get('features.denseblock1.denselayer1.conv1.weight') ?? new Float32Array()
  const ours = get('conv2_block1_1_conv')
  for (const [out, into] of [
    [0, 0],
    [3, 1],
    [127, 63],
  ] as const) {
    assert.equal(ours[into * 128 + out], theirs[out * 64 + into])
  }
  assert.deepEqual([...get('bn')], [...(state.get('features.norm5.weight') ?? [])])
})

test('the same file again changes nothing, another one of the name needs --replace', async () => {
  const dataDir = home('grey')
  const scaling = { scale: 1, mean: [0], std: [1], order: 'rgb' as const }
  const [before] = await listWeights(dataDir)
  assert.deepEqual(await importWeights({ dataDir, path: statePath, scaling, at }), before)
  const path = join(root, 'other.safetensors')
  await torchStateDict(path, { architecture: densenet, channels: 1, outputs: 2, seed: 9 })
  const other = { dataDir, path, scaling, at, name: 'grey' }
  await assert.rejects(importWeights(other), { code: 'conflict', message: /--replace/ })
  const replaced = await importWeights({ ...other, replace: true })
  assert.notEqual(replaced.sha256, before?.sha256)
  assert.equal((await readdir(join(dataDir, 'weights'))).length, 2)
})

test('kept numbers that were damaged are not trained from', async () => {
  const dataDir = home('damaged')
  await cp(home('grey'), dataDir, { recursive: true })
  const [weights] = await listWeights(dataDir)
  assert.ok(weights)
  const path = numbersPath(dataDir, weights)
  await truncate(path, 1000)
  const shape = { height: 32, width: 32, channels: 1, outputs: 1, seed: 1 } as const
  const model = densenet.build({ ...shape, variant: 'torchvision', weights: 'zeros' })
  await assert.rejects(adoptPretrained(model, { weights, dataDir }), /damaged/)
  await writeFile(join(dataDir, 'weights', 'grey.json'), '{"schema":1')
  assert.deepEqual(await listWeights(dataDir), [])
})

test('weights of another network or with a tensor of another shape are refused by name', async () => {
  const dataDir = home('refused')
  const scaling = { scale: 1, mean: [0], std: [1], order: 'rgb' as const }
  const wishes = { dataDir, scaling, at }
  const path = join(root, 'bent.safetensors')
  const made = { architecture: densenet, channels: 1, outputs: 2 } as const
  const change = (name: string, shape: readonly number[] | null) =>
    torchStateDict(path, { ...made, change: new Map([[name, shape]]) })
  await change('features.norm5.weight', [7])
  await assert.rejects(
    importWeights({ ...wishes, path }),
    /"features\.norm5\.weight" is 7 in the file, but DenseNet121 needs 1024 there/,
  )
  await change('features.norm5.bias', null)
  await assert.rejects(importWeights({ ...wishes, path }), /no weight "features\.norm5\.bias"/)
  await change('features.extra.weight', [3])
  await assert.rejects(
    importWeights({ ...wishes, path }),
    /no place for: "features\.extra\.weight"/,
  )
  await assert.rejects(
    importWeights({ ...wishes, path: statePath, architecture: 'resnet50' }),
    /"conv1\.weight", which ResNet50 needs/,
  )
  await assert.rejects(
    importWeights({ ...wishes, path: statePath, architecture: 'tiny_cnn' }),
    /PyTorch weights are read for/,
  )
  assert.deepEqual(await listWeights(dataDir), [])
  assert.deepEqual(await readdir(join(dataDir, 'weights')), [])
})

test('a run that wants weights which are not there, or do not fit it, is told what to do', async () => {
  const dataDir = home('grey')
  const wants = (architecture: string, o: object) =>
    pretrainedFor(dataDir, { architecture: getArchitecture(architecture), weights: 'grey', ...o })
  assert.equal(await wants('densenet121', { weights: 'none' }), null)
  assert.equal(await wants('densenet121', { weights: undefined }), null)
  assert.equal((await wants('densenet121', {}))?.name, 'grey')
  const refused: readonly [string, object, RegExp][] = [
    ['densenet121', { weights: 'imagenet' }, /"roentgen weights fetch densenet121", or import/],
    ['tiny_cnn', { weights: 'imagenet' }, /nobody publishes any/],
    ['resnet50', {}, /"grey" are of densenet121/],
    ['densenet121', { weights: '../x' }, /no weights "\.\.\/x"/],
    ['densenet121', { channels: 3 }, /grey images with 1 channels/],
    ['densenet121', { initFrom: 'a/b@1' }, /starts from a\/b@1/],
  ]
  for (const [architecture, o, message] of refused) {
    await assert.rejects(wants(architecture, o), { code: 'invalid', message })
  }
})

const MOBILENET = 'data/backbones/mobilenet_v2_035_224_notop'

test('the real ImageNet MobileNetV2 gives the features of its own model', {
  skip: skipWithout(MOBILENET),
}, async () => {
  const folder = sharedPath(MOBILENET) ?? ''
  const dataDir = home('mobilenet')
  const kept = await importWeights({ dataDir, path: folder, name: 'mobilenet_v2_035-imagenet', at })
  assert.deepEqual(
    [kept.architecture, kept.variant, kept.channels, kept.parameters, kept.source.format],
    ['mobilenet_v2_035', 'keras', 3, 410_208, 'tfjs'],
  )
  assert.deepEqual(kept.scaling, { scale: 1 / 127.5, mean: [1], std: [1], order: 'rgb' })
  const architecture = getArchitecture('mobilenet_v2_035')
  const found = await pretrainedFor(dataDir, { architecture, weights: 'imagenet' })
  assert.deepEqual(found, kept)
  const own = await loadLayersModel(folder)
  const shape = { height: 224, width: 224, channels: 3, outputs: 1, seed: 1 } as const
  const model = architecture.build({ ...shape, top: 'none' })
  // Without a head the last layer is an activation, which has no weights to be left out.
  await adoptPretrained(model, { weights: kept, dataDir })
  const x = Float32Array.from({ length: 224 * 224 * 3 }, (_, i) => Math.sin(i * 0.013))
  const [mine, theirs] = [await answerOf(model, x), await answerOf(own, x)]
  assert.equal(mine.length, 7 * 7 * 1280)
  assert.ok(largestDifference(mine, theirs) < 1e-5, `${largestDifference(mine, theirs)}`)
  assert.ok(mine.some((value) => value > 0.5))
})

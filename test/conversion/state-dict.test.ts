// PyTorch state dicts as versions, through the import's own child process. That the answers are PyTorch's is shown by
// test/conversion/pretrained/published-weights.test.ts with files of PyTorch itself.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after } from 'node:test'
import { fileURLToPath } from 'node:url'
import { getArchitecture } from '../../src/architectures/catalogue.ts'
import { convertForeign } from '../../src/conversion/import/convert-foreign.ts'
import { parseForeignFields } from '../../src/conversion/import/foreign-fields.ts'
import { readServingConfig } from '../../src/package/serving-config.ts'
import { verifyPackage } from '../../src/package/verify-package.ts'
import { torchStateDict } from '../support/weights/torch-state-dict.ts'

const root = await mkdtemp(join(tmpdir(), 'roentgen-state-dict-'))
after(() => rm(root, { recursive: true, force: true }))
const path = join(root, 'xrv.safetensors')
const values = await torchStateDict(path, {
  architecture: getArchitecture('densenet121'),
  channels: 1,
  outputs: 18,
  // As torchxrayvision has it.
  change: new Map([['op_threshs', [18]]]),
})
const LABELS = Array.from({ length: 18 }, (_, i) => `*Finding ${i + 1}`).join(',')

async function convert(file: string, fields: Record<string, string>): Promise<string> {
  return convertForeign({
    kind: 'state-dict',
    path: file,
    sourceName: file,
    fields: parseForeignFields({ condition: 'chest', name: 'foreign', ...fields }),
    condition: undefined,
    stagingDir: await mkdtemp(join(root, 'staging-')),
  })
}

test('a DenseNet of torchxrayvision becomes a multi-label version with its thresholds', async () => {
  const kind = 'multi-label'
  const dir = await convert(path, { classes: LABELS, kind, preprocessing: 'xrv' })
  const { manifest } = await verifyPackage(dir)
  assert.equal(manifest.architecture, 'densenet121')
  assert.equal(manifest.kind, kind)
  assert.equal(manifest.defaultOperatingPoint, 'published')
  const [point] = manifest.operatingPoints
  assert.equal(point?.thresholds['Finding 5'], values.get('op_threshs')?.[4])
  const { model, preprocessing, golden } = await readServingConfig(dir)
  assert.equal(model.variant, 'torchvision')
  assert.equal(model.explanation?.layer, 'relu')
  assert.ok(model.graph.outputs.logits && model.graph.outputs.gradients)
  const { width, height, channels, aspect, scale, mean, std } = preprocessing
  assert.deepEqual([width, height, channels, aspect], [224, 224, 1, 'crop'])
  // Black is -1024, white 1024.
  const seen = (value: number) => (value * scale - (mean[0] ?? 0)) / (std[0] ?? 1)
  assert.deepEqual([seen(0), seen(255)], [-1024, 1024])
  assert.equal(golden?.items[0]?.probabilities.length, 18)
  const topology = JSON.parse(await readFile(join(dir, 'models/tfjs/model.json'), 'utf8'))
  assert.equal(topology.modelTopology.config.name, 'densenet121')
})

test('what does not fit is refused in one sentence, and nothing of a file is run', async () => {
  const fixture = (name: string) =>
    fileURLToPath(new URL(`./pretrained/fixtures/${name}`, import.meta.url))
  const fields = { classes: LABELS, kind: 'multi-label', preprocessing: 'xrv' }
  const long = join(root, 'long-head.safetensors')
  await torchStateDict(long, {
    architecture: getArchitecture('densenet121'),
    channels: 1,
    outputs: 18,
    change: new Map([['classifier.3.weight', [18, 18]]]),
  })
  const refused: readonly [string, Record<string, string>, RegExp][] = [
    [path, { ...fields, architecture: 'resnet50' }, /are of densenet121 and not of ResNet50/],
    [
      path,
      { ...fields, architecture: 'alexnet' },
      /"alexnet" (cannot be trained|is not an architecture)/,
    ],
    [path, { ...fields, classes: 'a,b' }, /gives 18 numbers .* 2 classes/],
    [path, { classes: LABELS, kind: 'multi-label' }, /how pixel values are scaled/],
    [long, fields, /head of 2 linear layers \(classifier\.weight, classifier\.3\.weight\)/],
    [fixture('state.pth'), fields, /cannot be told from the file/],
    [fixture('state.pth'), { ...fields, architecture: 'vgg16' }, /no last layer/],
    [fixture('hostile-system.pth'), fields, /"posix\.system"/],
  ]
  for (const [file, given, message] of refused) {
    await assert.rejects(convert(file, given), message)
  }
  assert.equal(existsSync('roentgen-was-here'), false)
})

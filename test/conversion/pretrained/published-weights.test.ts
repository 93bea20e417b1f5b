// The same answers as real Keras and real torchvision give with the same weights: files of full size, made on demand by the
// libraries themselves (reference_weights.py) with seeded random weights.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { getArchitecture } from '../../../src/architectures/catalogue.ts'
import { fill, fit, variantOf } from '../../../src/conversion/fitting/fit.ts'
import { recognise } from '../../../src/conversion/fitting/recognise.ts'
import { withWeightsFile } from '../../../src/conversion/fitting/weights-file.ts'
import { answerOf, largestDifference } from '../../support/weights/answer-of.ts'

const SCRIPT = fileURLToPath(new URL('../../support/weights/reference_weights.py', import.meta.url))
const PYTHON = process.env.PYTHON ?? 'python3'
const MOST = 1e-4

interface Reference {
  readonly name: string
  readonly architecture: string
  readonly files: readonly string[]
  readonly top: boolean
  readonly shape: readonly [number, number, number, 1 | 3]
}

function skipWithout(modules: string): string | false {
  if (process.env.ROENTGEN_SLOW_TESTS !== '1') return 'set ROENTGEN_SLOW_TESTS=1 to compare them'
  const { status } = spawnSync(PYTHON, ['-c', `import ${modules}`], { timeout: 120_000 })
  return status === 0 ? false : `needs a Python (PYTHON=…) with ${modules}`
}

async function floats(path: string): Promise<Float32Array> {
  const { buffer, byteOffset, byteLength } = await readFile(path)
  return new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength))
}

async function answer(reference: Reference, { path, x }: { path: string; x: Float32Array }) {
  return withWeightsFile(path, async (file) => {
    assert.equal(await recognise(file), reference.architecture)
    const architecture = getArchitecture(reference.architecture)
    const [, height, width, channels] = reference.shape
    const variant = await variantOf(file, { architecture })
    const top = !reference.top ? 'none' : 'torch' in file ? 'original' : 'imagenet'
    const outputs = reference.name === 'torch-xrv' ? 18 : 1000
    const shape = { height, width, channels, outputs, seed: 1, weights: 'zeros' } as const
    const model = architecture.build({ ...shape, variant, top })
    await fill(model, await fit(model, { file, architecture }))
    const y = await answerOf(model, x)
    model.dispose()
    return y
  })
}

const keras = skipWithout('keras, h5py')
const torch = skipWithout('torch, safetensors')
const WANTED = [
  ...[
    'densenet121',
    'resnet50',
    'vgg16',
    'efficientnet_b0',
    'efficientnet_b3',
    'mobilenet_v2_100',
  ].map((name) => ({ wanted: `keras:${name}`, skip: keras })),
  ...[
    'densenet121',
    'resnet50',
    'vgg16',
    'efficientnet_b0',
    'efficientnet_b3',
    'vit_b_16',
    'xrv',
  ].map((name) => ({ wanted: `torch:${name}`, skip: torch })),
]

for (const { wanted, skip } of WANTED) {
  test(`${wanted} answers as the library does, from each of its files`, { skip }, async (t) => {
    const dir = await mkdtemp(join(tmpdir(), 'roentgen-reference-'))
    t.after(() => rm(dir, { recursive: true, force: true }))
    const made = spawnSync(PYTHON, [SCRIPT, dir, wanted], {
      encoding: 'utf8',
      timeout: 600_000,
      env: { ...process.env, KERAS_BACKEND: process.env.KERAS_BACKEND ?? 'tensorflow' },
    })
    assert.equal(made.status, 0, made.stderr)
    const references = made.stdout
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Reference)
    assert.ok(references.length > 0)
    for (const reference of references) {
      const x = await floats(join(dir, `${reference.name}.input.bin`))
      const expected = await floats(join(dir, `${reference.name}.output.bin`))
      const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
      for (const path of reference.files) {
        const difference = largestDifference(await answer(reference, { path, x }), expected)
        t.diagnostic(
          `${path.split('/').at(-1)}: ${difference.toExponential(1)} apart, values up to ${largest.toPrecision(3)}`,
        )
        assert.ok(difference < MOST, `${reference.name}: ${difference}`)
      }
    }
  })
}

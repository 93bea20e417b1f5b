// Files of weights as PyTorch, safetensors and Keras write them, and such as nobody should send. Made by
// test/support/weights/fixtures.py.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after } from 'node:test'
import { fileURLToPath } from 'node:url'
import { weightsFormat, withWeightsFile } from '../../src/conversion/fitting/weights-file.ts'
import { readHdf5 } from '../../src/formats/keras/hdf5.ts'
import { kerasLayers } from '../../src/formats/keras-layers.ts'
import type { TensorSource } from '../../src/formats/tensor-source.ts'
import { withSafetensors, writeSafetensors } from '../../src/formats/torch/safetensors.ts'
import { withTorchFile } from '../../src/formats/torch/torch-file.ts'

const dir = await mkdtemp(join(tmpdir(), 'roentgen-weights-'))
after(() => rm(dir, { recursive: true, force: true }))
const fixture = (name: string) =>
  fileURLToPath(new URL(`../conversion/pretrained/fixtures/${name}`, import.meta.url))

type Tensors = Record<string, { shape: readonly number[]; values: number[] }>

async function all(source: TensorSource): Promise<Tensors> {
  const found: Tensors = {}
  for (const [name, { shape }] of source.tensors) {
    found[name] = { shape, values: [...(await source.read(name))] }
  }
  return found
}

const STATE: Tensors = {
  'conv.weight': { shape: [2, 3, 2, 2], values: Array.from({ length: 24 }, (_, i) => i / 8) },
  half: { shape: [4], values: [1.5, -0.25, 65504, 2 ** -24] },
  brain: { shape: [3], values: [1.5, -2, 3.00405527047391e38] },
  double: { shape: [2], values: [Math.fround(1 / 3), -0] },
  count: { shape: [], values: [7] },
  flags: { shape: [2], values: [1, 0] },
  transposed: { shape: [3, 2], values: [0, 3, 1, 4, 2, 5] },
  row: { shape: [4], values: [4, 5, 6, 7] },
}

test('a state dict has its numbers, whatever they are stored as and however they lie', async () => {
  assert.deepEqual(await withTorchFile(fixture('state.pth'), all), STATE)
  assert.deepEqual(await withTorchFile(fixture('checkpoint.pth'), all), STATE)
  const sorted = await withSafetensors(fixture('state.safetensors'), all)
  assert.deepEqual(
    Object.fromEntries(Object.keys(STATE).map((name) => [name, sorted[name]])),
    STATE,
  )
  const linear = await withTorchFile(fixture('module.pth'), all)
  assert.deepEqual(linear.weight?.shape, [2, 2])
})

test('a pickle that would run something is refused by the name of it, and nothing runs', async () => {
  const refused: Readonly<Record<string, RegExp>> = {
    'hostile-system.pth': /"posix\.system".*nothing of it was run/,
    'hostile-eval.pth': /"builtins\.eval".*nothing of it was run/,
    'whole-model.pth': /"torch\.nn\.modules\.linear\.Linear".*state_dict/,
    'torchscript.pth': /TorchScript program/,
  }
  for (const [name, message] of Object.entries(refused)) {
    await assert.rejects(withTorchFile(fixture(name), all), { code: 'invalid-package', message })
  }
  assert.equal(existsSync('roentgen-was-here'), false)
})

test('numbers that are not there, bombs and damage are refused with a sentence', async () => {
  const refused: Readonly<Record<string, RegExp>> = {
    'beyond-storage.pth': /"w".*reaches beyond/,
    'storage-too-long.pth': /"w".*reaches beyond/,
    'repeated.pth': /"w".*reaches beyond/,
    'no-storage.pth': /"w".*reaches beyond/,
    'truncated.pth': /damaged/,
    'bomb.pth': /far more than is plausible/,
  }
  for (const [name, message] of Object.entries(refused)) {
    await assert.rejects(withTorchFile(fixture(name), all), { code: 'invalid-package', message })
  }
  const whole = await readFile(fixture('state.pth'))
  const half = join(dir, 'half.pth')
  await writeFile(half, whole.subarray(0, whole.length / 2))
  await assert.rejects(withTorchFile(half, all), { code: 'invalid-package' })
})

test('any byte of a PyTorch file may be wrong: it is read, or refused in words', async () => {
  const whole = await readFile(fixture('state.pth'))
  const path = join(dir, 'bent.pth')
  for (let at = 0; at < whole.length; at += 7) {
    const bent = Buffer.from(whole)
    bent[at] = (bent[at] ?? 0) ^ 0x15
    await writeFile(path, bent)
    await withTorchFile(path, all).catch((error: { code?: string }) => {
      assert.equal(error.code, 'invalid-package', `byte ${at}: ${String(error)}`)
    })
  }
})

test('the format before version 1.6 has the same numbers, and its damage is refused', async () => {
  assert.equal(await weightsFormat(fixture('legacy.pth')), 'pytorch')
  assert.deepEqual(await withTorchFile(fixture('legacy.pth'), all), STATE)
  const whole = await readFile(fixture('legacy.pth'))
  const path = join(dir, 'legacy-bent.pth')
  for (const length of [16, 200, whole.length - 1]) {
    await writeFile(path, whole.subarray(0, length))
    await assert.rejects(withTorchFile(path, all), { code: 'invalid-package' }, String(length))
  }
  for (let at = 15; at < whole.length; at += 7) {
    const bent = Buffer.from(whole)
    bent[at] = (bent[at] ?? 0) ^ 0x15
    await writeFile(path, bent)
    await withTorchFile(path, all).catch((error: { code?: string }) => {
      assert.equal(error.code, 'invalid-package', `byte ${at}: ${String(error)}`)
    })
  }
})

test('a bare pickle, a text and a pointer are named', async () => {
  const send = async (content: string) => {
    const path = join(dir, 'file')
    await writeFile(path, content)
    return weightsFormat(path)
  }
  await assert.rejects(send('version https://git-lfs.github.com/spec/v1\n'), /Git LFS pointer/)
  await assert.rejects(send('hello'), /text file.*weights are read from/)
  await assert.rejects(send(''), { code: 'invalid-package' })
  await assert.rejects(weightsFormat(join(dir, 'absent.h5')), /does not exist or is not readable/)
})

test('safetensors that lie about themselves are refused', async () => {
  const path = join(dir, 'bad.safetensors')
  const write = (header: string, data = '\0'.repeat(16), length = header.length) => {
    const size = Buffer.alloc(8)
    size.writeBigUInt64LE(BigInt(length))
    return writeFile(path, Buffer.concat([size, Buffer.from(header + data, 'latin1')]))
  }
  const entry = (shape: string, offsets: string, dtype = 'F32') =>
    `{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}}`
  const lies: Readonly<Record<string, RegExp>> = {
    [`{"a":${entry('[4]', '[0,20]')}}`]: /damaged/,
    [`{"a":${entry('[8]', '[0,32]')}}`]: /damaged/,
    [`{"a":${entry('[-4]', '[0,16]')}}`]: /no network here has/,
    [`{"a":${entry('[4294967296]', '[0,16]')}}`]: /no network here has/,
    [`{"a":${entry('[1.5]', '[0,6]')}}`]: /no network here has/,
    [`{"a":${entry('[16]', '[0,16]', 'F8_E4M3')}}`]: /stored as F8_E4M3/,
    [`{"a":${entry('[2]', '[0,8]')},"b":${entry('[2]', '[4,12]')}}`]: /damaged/,
    '{"a":7}': /damaged/,
    '{"a"': /damaged/,
    '[]': /damaged/,
  }
  for (const [header, message] of Object.entries(lies)) {
    await write(header)
    await assert.rejects(withSafetensors(path, all), { code: 'invalid-package', message }, header)
  }
  await write('{}', '', 1_000_000)
  await assert.rejects(withSafetensors(path, all), { code: 'invalid-package' })
})

test('what is written as safetensors is read again', async () => {
  const path = join(dir, 'own.safetensors')
  const tensors = [
    { name: 'a/kernel', shape: [2, 2] },
    { name: 'b', shape: [] },
  ]
  const values = new Map([
    ['a/kernel', Float32Array.of(1, -2, 3.5, 0)],
    ['b', Float32Array.of(9)],
  ])
  const valuesOf = async (name: string) => values.get(name) ?? new Float32Array()
  await writeSafetensors(path, { tensors, valuesOf })
  assert.deepEqual(await withSafetensors(path, all), {
    'a/kernel': { shape: [2, 2], values: [1, -2, 3.5, 0] },
    b: { shape: [], values: [9] },
  })
  assert.equal(await weightsFormat(path), 'safetensors')
})

for (const name of ['tiny.h5', 'tiny-model.h5', 'tiny.weights.h5']) {
  test(`${name} gives the layers of Keras with their weights in order`, async () => {
    await readHdf5(await readFile(fixture(name)), async (file) => {
      const { layers } = kerasLayers(file)
      assert.deepEqual(layers.map((layer) => layer.name).sort(), ['conv', 'logits', 'norm'])
      const norm = await layers.find((layer) => layer.name === 'norm')?.read()
      assert.deepEqual(
        norm?.map(({ values }) => [...values]),
        [0, 1, 2, 3].map(() => [1, 2]),
      )
      const conv = await layers.find((layer) => layer.name === 'conv')?.read()
      assert.deepEqual(
        conv?.map(({ shape }) => shape),
        [[3, 3, 1, 2], [2]],
      )
    })
  })
}

test('an HDF5 file that is none of Keras is refused', async () => {
  const text = await readFile(fixture('tiny.h5'))
  const path = join(dir, 'cut.h5')
  await writeFile(path, text.subarray(0, 3000))
  await assert.rejects(
    withWeightsFile(path, async () => {}),
    { code: 'invalid-package' },
  )
})

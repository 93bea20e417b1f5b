// HDF5 files: what is written comes back, and what is no whole file is refused in one sentence.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isAppError } from '../../../src/errors.ts'
import { readHdf5 } from '../../../src/formats/keras/hdf5.ts'
import { asFloats } from '../../../src/formats/keras/hdf5-numbers.ts'
import { writeHdf5 } from '../../../src/formats/keras/hdf5-write.ts'

const small = () =>
  writeHdf5((file) => {
    file.text('', 'keras_version', '3.0.0')
    file.text('', 'long', 'é'.repeat(200_000))
    file.texts('model_weights', 'layer_names', ['conv1', 'größer'])
    file.texts('model_weights', 'none', [])
    file.tensor('model_weights/conv1/conv1/kernel:0', {
      shape: [2, 3],
      values: new Float32Array([1, 2, 3, 4, 5, 6.5]),
    })
    file.tensor('model_weights/conv1/step', { shape: [], values: new BigInt64Array([7n]) })
    file.tensor('empty', { shape: [0, 3], values: new Float32Array(0) })
    file.group('model_weights/flatten')
  })

test('groups, attributes and numbers come back as they were written', async () => {
  await readHdf5(await small(), (file) => {
    assert.deepEqual(file.children(''), [
      { name: 'empty', kind: 'dataset' },
      { name: 'model_weights', kind: 'group' },
    ])
    assert.equal(file.kindOf('model_weights/flatten'), 'group')
    assert.equal(file.kindOf('model_weights/nothing/here'), undefined)
    assert.equal(file.text('', 'keras_version'), '3.0.0')
    assert.equal(file.text('', 'long')?.length, 200_000)
    assert.equal(file.text('', 'none'), undefined)
    assert.deepEqual(file.attributeNames('').toSorted(), ['keras_version', 'long'])
    assert.deepEqual(file.texts('model_weights', 'layer_names'), ['conv1', 'größer'])
    assert.deepEqual(file.texts('model_weights', 'none'), [])
    const kernel = file.tensor('model_weights/conv1/conv1/kernel:0')
    assert.deepEqual(kernel, { shape: [2, 3], values: new Float32Array([1, 2, 3, 4, 5, 6.5]) })
    assert.deepEqual(file.tensor('model_weights/conv1/step'), {
      shape: [],
      values: new Float32Array([7]),
    })
    assert.deepEqual(file.tensor('empty').shape, [0, 3])
  })
})

test('a list of names that is too long for one attribute is cut and joined again', async () => {
  const names = Array.from({ length: 3000 }, (_, index) => `a_long_name_of_a_layer_${index}`)
  const bytes = await writeHdf5((file) => file.texts('', 'layer_names', names))
  await readHdf5(bytes, (file) => {
    assert.deepEqual(file.attributeNames('').toSorted(), ['layer_names0', 'layer_names1'])
    assert.deepEqual(file.texts('', 'layer_names'), names)
  })
})

test('numbers of every width and byte order become 32-bit floats', () => {
  const bytes = (...list: number[]): Uint8Array => new Uint8Array(list)
  const number = { isFloat: true, signed: true, littleEndian: true }
  assert.deepEqual(
    [...(asFloats(bytes(0, 0x3c, 0, 0xc0, 1, 0, 0, 0x7c), { ...number, size: 2 }) ?? [])],
    [1, -2, 2 ** -24, Number.POSITIVE_INFINITY],
  )
  const big = { ...number, littleEndian: false }
  assert.deepEqual([...(asFloats(bytes(0x3f, 0xc0, 0, 0), { ...big, size: 4 }) ?? [])], [1.5])
  const whole = { ...number, isFloat: false }
  assert.deepEqual([...(asFloats(bytes(254, 255), { ...whole, size: 2 }) ?? [])], [-2])
  assert.deepEqual([...(asFloats(bytes(255), { ...whole, signed: false, size: 1 }) ?? [])], [255])
  assert.equal(asFloats(bytes(1, 2, 3), { ...whole, size: 3 }), undefined)
})

test('what is no HDF5 file, or is cut off, is refused in one sentence', async () => {
  const whole = await small()
  const refused = (error: unknown): boolean => {
    assert.ok(isAppError(error))
    assert.equal(error.code, 'invalid-package')
    assert.match(error.message, /^The HDF5 file is cut off or damaged/)
    return true
  }
  for (const bytes of [
    new Uint8Array(),
    Buffer.from('hello'),
    whole.subarray(0, whole.length / 2),
  ]) {
    await assert.rejects(
      readHdf5(bytes, (file) => file.children('')),
      refused,
    )
  }
})

test('a missing weight is named', async () => {
  await assert.rejects(
    readHdf5(await small(), (file) => file.tensor('model_weights/conv1/bias')),
    /^AppError: The HDF5 file holds no weights "conv1\/bias"\.$/,
  )
})

test('many files one after the other leave nothing behind', async () => {
  const bytes = await small()
  for (let round = 0; round < 50; round++) {
    assert.equal(await readHdf5(bytes, (file) => file.children('').length), 2)
  }
  const { ready } = await import('h5wasm')
  const { FS } = (await ready) as unknown as { FS: { readdir(path: string): string[] } }
  assert.deepEqual(
    FS.readdir('/').filter((name) => name.endsWith('.h5')),
    [],
  )
})

// What has to be said about a foreign model, and how the sentence reads when it is not.
import assert from 'node:assert/strict'
import test from 'node:test'
import {
  completePreprocessing,
  parseClasses,
  parseForeignFields,
} from '../../src/conversion/import/foreign-fields.ts'
import { modelFileKind } from '../../src/formats/detect-format.ts'
import { zipContents } from '../../src/formats/zip-contents.ts'

const INPUT = { width: 224, height: 200, channels: 3 } as const
const NEEDED = { condition: 'X', name: 'Y' }

test('classes are a JSON array or a list, findings marked with a star', () => {
  const expected = [
    { label: 'NORMAL', positive: false },
    { label: 'PNEUMONIA', positive: true },
  ]
  assert.deepEqual(parseClasses('NORMAL, *PNEUMONIA'), expected)
  assert.deepEqual(parseClasses('["NORMAL","*PNEUMONIA"]'), expected)
  assert.deepEqual(parseClasses(JSON.stringify(expected)), expected)
  for (const text of ['[', '[]', '[1]', 'a,,b', 'a,a', '{}x,']) {
    assert.throws(() => parseClasses(text), { code: 'invalid' }, text)
  }
})

test('condition and name are needed and are lower-cased', () => {
  assert.throws(() => parseForeignFields({}), { code: 'condition-required' })
  assert.throws(() => parseForeignFields({ condition: 'x' }), { code: 'invalid' })
  assert.throws(() => parseForeignFields({ condition: '../x', name: 'y' }), { code: 'invalid' })
  assert.throws(() => parseForeignFields({ ...NEEDED, kind: 'some' }), { code: 'invalid' })
  const fields = parseForeignFields(NEEDED)
  assert.deepEqual([fields.condition, fields.name], ['x', 'y'])
})

test('a preprocessing takes its size from the model and needs to be told its scaling', () => {
  const tf = completePreprocessing(
    parseForeignFields({ ...NEEDED, preprocessing: 'tf' }).preprocessing,
    INPUT,
  )
  assert.deepEqual([tf.width, tf.height, tf.channels, tf.scale], [224, 200, 3, 1 / 127.5])
  assert.deepEqual(
    [tf.mean, tf.std],
    [
      [1, 1, 1],
      [1, 1, 1],
    ],
  )
  const caffe = completePreprocessing({ mode: 'caffe' }, INPUT)
  assert.equal(caffe.order, 'bgr')
  const grey = completePreprocessing({ mode: 'unit' }, { ...INPUT, channels: 1 })
  assert.deepEqual(grey.mean, [0])
  const said = completePreprocessing(
    { scale: 2, mean: [3, 4, 5], size: [200, 224], aspect: 'crop' },
    INPUT,
  )
  assert.deepEqual(
    [said.scale, said.mean, said.std, said.aspect],
    [2, [3, 4, 5], [1, 1, 1], 'crop'],
  )
  assert.throws(() => completePreprocessing(undefined, INPUT), /how pixel values are scaled/)
  assert.throws(
    () => completePreprocessing({ mode: 'tf', size: 224 }, INPUT),
    /224 x 224 .* 224 x 200/,
  )
  assert.throws(() => completePreprocessing({ mode: 'tf', channels: 1 }, INPUT), {
    code: 'invalid',
  })
  for (const preprocessing of ['{', '[]', 'magic', '{"interpolation":"best"}']) {
    assert.throws(
      () => parseForeignFields({ ...NEEDED, preprocessing }),
      { code: 'invalid' },
      preprocessing,
    )
  }
})

test('a file is told by its bytes, and what is not read is named', () => {
  const kindOf = (bytes: string, name = 'm') => modelFileKind(Buffer.from(bytes, 'latin1'), name)
  assert.equal(kindOf('PK\x03\x04 and more', 'm.roentgen.zip'), 'zip')
  assert.equal(kindOf('\x08\x07\x12\x04onnx\x00'), 'onnx')
  assert.equal(kindOf('\x12\x04onnx\x08\x07\x3a\x00'), 'onnx', 'its fields in another order')
  assert.equal(kindOf('PK\x03\x04', 'm.pth'), 'state-dict')
  assert.equal(kindOf('\x10\x00\x00\x00\x00\x00\x00\x00{"a"', 'm'), 'state-dict')
  const refused: readonly [string, string, RegExp][] = [
    ['', 'm.onnx', /is empty/],
    ['version https://git-lfs.github.com/spec/v1', 'm.keras', /Git LFS pointer/],
    ['\x80\x02}q\x00.', 'm.pth', /a Python pickle/],
    ['{"modelTopology":', 'model.json', /without its weight files/],
    ['hello', 'm.onnx', /a text file/],
    ['\x00\x01\x02', 'm', /not a model file/],
  ]
  for (const [bytes, name, sentence] of refused) {
    assert.throws(() => kindOf(bytes, name), sentence)
    assert.throws(() => kindOf(bytes, name), { code: 'invalid-package' })
  }
})

test('a zip holds one model: a TF.js folder, a Keras or PyTorch file itself, or one file of any kind', () => {
  const folder = (path: string) => ({ holds: 'tfjs-folder', folder: path })
  assert.deepEqual(zipContents(['model.json', 'weights.bin']), folder(''))
  assert.deepEqual(zipContents(['a/b/model.json', 'a/b/weights.bin']), folder('a/b'))
  assert.deepEqual(zipContents(['config.json', 'model.weights.h5']), { holds: 'keras' })
  assert.deepEqual(zipContents(['x/data.pkl', 'x/data/0']), { holds: 'state-dict' })
  assert.deepEqual(zipContents(['labels.txt', 'keras_model.h5', '__MACOSX/._keras_model.h5']), {
    holds: 'file',
    path: 'keras_model.h5',
  })
  for (const names of [['weights.bin'], ['a/model.json', 'b/model.json'], ['a.h5', 'b.onnx'], []]) {
    assert.throws(() => zipContents(names), { code: 'invalid-package' }, names.join())
  }
})

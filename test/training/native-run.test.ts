// A whole training on TensorFlow's native library, through the same loop: it learns what the traced engine learns. Runs where
// the library is installed and says that it was skipped where it is not.
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { readConfig } from '../../src/config.ts'
import { findLibrary } from '../../src/engine/native/find-library.ts'
import { openStore } from '../../src/registry/home/store.ts'
import type { EpochRecord } from '../../src/training/job.ts'
import { trainOnce } from '../../src/training/train-once.ts'
import { drawDataset } from '../support/training/drawn-dataset.ts'

const skip = findLibrary(readConfig().tensorflowDir)?.isComplete
  ? false
  : "TensorFlow's native library is not installed: not checked (ROENTGEN_TENSORFLOW may name a folder with it)"

test('a training on TensorFlow has the losses of one on ONNX Runtime, and says what computed it', {
  skip,
}, async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'roentgen-native-'))
  const before = process.env.ROENTGEN_ENGINE
  t.after(() => {
    if (before === undefined) delete process.env.ROENTGEN_ENGINE
    else process.env.ROENTGEN_ENGINE = before
    return rm(root, { recursive: true, force: true })
  })
  const datasetDir = await drawDataset(join(root, 'spots'), 40)
  const store = await openStore({ modelsDir: join(root, 'models'), dataDir: join(root, 'data') })
  const train = async (engine: 'onnx' | 'tensorflow') => {
    process.env.ROENTGEN_ENGINE = engine
    const epochs: EpochRecord[] = []
    const summary = await trainOnce(
      {
        id: engine,
        condition: { id: 'spots', name: 'Spots', bodyPart: 'chest' },
        datasetDir,
        datasetName: 'spots',
        architecture: 'tiny_cnn',
        preset: 'quick',
        threads: 1,
        hyperparameters: { batchSize: 16, imageSize: 32, learningRate: 3e-3, epochs: 3 },
      },
      {
        store,
        onMessage: (message) => {
          if (message.type === 'epoch') epochs.push(message.record)
        },
      },
    )
    const config = await readFile(join(summary.packageDir, 'configs/train.json'), 'utf8')
    assert.equal(JSON.parse(config).engine.name, engine)
    return epochs
  }
  const traced = await train('onnx')
  const native = await train('tensorflow')
  assert.equal(native.length, 3)
  for (const [i, { trainLoss, valLoss }] of native.entries()) {
    const expected = traced[i] ?? assert.fail()
    console.log(
      `# epoch ${i + 1}: training loss ${trainLoss} and ${expected.trainLoss}, validation loss ${valLoss} and ${expected.valLoss}`,
    )
    assert.ok(Math.abs(trainLoss - expected.trainLoss) < 1e-3)
    assert.ok(Math.abs(valLoss - expected.valLoss) < 1e-3)
  }
  assert.match(
    await readFile(join(store.logsDir, 'tensorflow.log'), 'utf8'),
    /with TensorFlow: asked/,
  )
})

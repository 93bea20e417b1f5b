// Moving averages of batch normalisation follow within a short run that begins at random.
import assert from 'node:assert/strict'
import test from 'node:test'
import { getArchitecture } from '../../src/architectures/catalogue.ts'
import { trainLastLayers } from '../../src/architectures/fine-tuning.ts'
import { shortenMemory } from '../../src/training/loop/moving-averages.ts'

function momenta(steps: number, trained: number | 'all' = 'all'): number[] {
  const shape = { height: 32, width: 32, channels: 1, outputs: 1, seed: 42 } as const
  const model = getArchitecture('Custom_CNN').build(shape)
  trainLastLayers(model, trained)
  shortenMemory(model, steps)
  return model.layers
    .filter((layer) => layer.getClassName() === 'BatchNormalization')
    .map((layer) => layer.getConfig().momentum as number)
}

test('a short run remembers a tenth of its steps, a long one as long as its layers want', () => {
  assert.deepEqual(new Set(momenta(100)), new Set([1 - 1 / 10]))
  assert.deepEqual(new Set(momenta(10_000)), new Set([0.99]))
  assert.deepEqual(new Set(momenta(3)), new Set([0.5]))
})

test('what was shortened is told: momentum, layers and steps, and nothing where nothing was', () => {
  const shape = { height: 32, width: 32, channels: 1, outputs: 1, seed: 42 } as const
  const build = () => getArchitecture('Custom_CNN').build(shape)
  const shortened = shortenMemory(build(), 100)
  assert.deepEqual([shortened?.momentum, shortened?.steps], [0.9, 100])
  assert.ok((shortened?.layers ?? 0) > 0)
  assert.equal(shortenMemory(build(), 10_000), null)
})

test('layers that are not trained keep theirs', () => {
  const some = momenta(100, 9)
  assert.deepEqual(
    [some.filter((one) => one === 0.99).length, some.filter((one) => one === 0.9).length],
    [13, 3],
  )
})

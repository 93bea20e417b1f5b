// One image through a real host: diagnosis, heatmaps of every method.
import assert from 'node:assert/strict'
import test from 'node:test'
import { defaultOperatingPoint } from '../../src/inference/decide.ts'
import { diagnose, type ExplainMethod } from '../../src/inference/diagnose.ts'
import type { Lease } from '../../src/inference/lease.ts'
import { startBench } from './runtime-bench.ts'
import { BINARY, noise, SIDE, tinyPackage } from './tiny-package.ts'

const TENSOR = noise(50, SIDE * SIDE)
const POINT = defaultOperatingPoint('binary', BINARY)

function diagnosis(lease: Lease, method: ExplainMethod, target?: string) {
  const explain = { method, target }
  return diagnose({ lease, tensor: TENSOR, calibration: null, operatingPoint: POINT, explain })
}

test('a diagnosis has a probability for each class, a decision, its confidence and a heatmap', async (t) => {
  const { dir, runtime } = await startBench(t)
  const lease = await runtime.leaseVersion(await tinyPackage(dir, { seed: 1 }))
  const calibration = {
    method: 'temperature',
    temperature: 2,
    eceBefore: 0.1,
    eceAfter: 0.02,
    n: 50,
  } as const
  const found = await diagnose({
    lease,
    tensor: TENSOR,
    calibration,
    operatingPoint: POINT,
    explain: { method: 'gradcam' },
  })
  assert.deepEqual(
    found.classes.map((one) => one.label),
    ['NORMAL', 'PNEUMONIA'],
  )
  const decided = found.classes.find((one) => one.label === found.decision.label)
  assert.equal(found.confidence, decided?.probability)
  assert.ok(found.confidence >= 0.5)
  assert.deepEqual(found.calibration, {
    method: 'temperature',
    temperature: 2,
    eceBefore: 0.1,
    eceAfter: 0.02,
  })
  assert.equal(found.heatmap?.layer, 'conv')
  assert.equal(found.heatmap?.target, found.decision.label)
  assert.deepEqual([found.heatmap?.width, found.heatmap?.height], [8, 8])
  assert.ok(found.timings.infer > 0 && found.timings.explain >= 0)
})

test('the maps of both classes together explain the logit: their difference sums to it, but for the bias', async (t) => {
  const { dir, runtime } = await startBench(t)
  const lease = await runtime.leaseVersion(await tinyPackage(dir, { seed: 2 }))
  const sum = async (target: string) => {
    const { heatmap } = await diagnosis(lease, 'gradcam', target)
    return heatmap?.grid.reduce((a, b) => a + b, 0) ?? Number.NaN
  }
  const { logits } = await lease.infer(TENSOR)
  // Global average pooling and a linear head: logit = sum over cells of the map + bias.
  const bias = noise(2 + 2, 1)[0] ?? 0
  const found = (await sum('PNEUMONIA')) - (await sum('NORMAL')) + bias
  assert.ok(Math.abs(found - (logits?.[0] ?? 0)) < 1e-5, `${found} is not ${logits?.[0]}`)
})

test('every method gives a finite map that is nowhere negative', async (t) => {
  const { dir, runtime } = await startBench(t)
  const lease = await runtime.leaseVersion(await tinyPackage(dir, { seed: 3 }))
  for (const method of ['gradcam', 'gradcam++', 'hirescam', 'occlusion'] as const) {
    for (const target of ['NORMAL', 'PNEUMONIA']) {
      const { heatmap } = await diagnosis(lease, method, target)
      assert.ok(heatmap)
      assert.equal(heatmap.method, method)
      assert.equal(heatmap.grid.length, heatmap.width * heatmap.height)
      assert.ok(heatmap.grid.every((value) => Number.isFinite(value) && value >= 0))
      assert.ok(heatmap.scale > 0)
    }
  }
  assert.equal((await diagnosis(lease, 'none')).heatmap, null)
})

test('occlusion equals hiding each patch by hand', async (t) => {
  const { dir, runtime } = await startBench(t)
  const lease = await runtime.leaseVersion(await tinyPackage(dir, { seed: 4 }))
  const { heatmap } = await diagnosis(lease, 'occlusion', 'PNEUMONIA')
  const mean = TENSOR.reduce((a, b) => a + b, 0) / TENSOR.length
  const hidden = Float32Array.from(TENSOR)
  // Cell (2, 3) of 8 x 8 over 16 pixels: its middle is at 5 and 7, the patch reaches 2 pixels to each side.
  for (let y = 3; y < 7; y++) for (let x = 5; x < 9; x++) hidden[y * SIDE + x] = mean
  const before = (await lease.infer(TENSOR)).logits?.[0] ?? 0
  const after = (await lease.infer(hidden)).logits?.[0] ?? 0
  const expected = Math.max(0, before - after)
  assert.ok(Math.abs((heatmap?.grid[2 * 8 + 3] ?? -1) - expected) < 1e-5)
})

test('a version without a feature map is explained by occlusion, and that is said', async (t) => {
  const { dir, runtime } = await startBench(t)
  const lease = await runtime.leaseVersion(await tinyPackage(dir, { seed: 5, plain: true }))
  const found = await diagnosis(lease, 'gradcam')
  assert.equal(found.heatmap?.method, 'occlusion')
  assert.match(found.warnings.join(), /no feature map/)
})

test('a graph in channels-first order gives what the same graph gives in channels-last', async (t) => {
  const { dir, runtime } = await startBench(t)
  const [last, first] = [
    await runtime.leaseVersion(await tinyPackage(dir, { seed: 6 })),
    await runtime.leaseVersion(await tinyPackage(dir, { seed: 6, name: 'nchw', layout: 'nchw' })),
  ]
  const outputs = await Promise.all([last, first].map((lease) => lease.infer(TENSOR)))
  assert.deepEqual(outputs[0]?.logits, outputs[1]?.logits)
})

test('an unknown target is refused before anything is run', async (t) => {
  const { dir, runtime } = await startBench(t)
  const lease = await runtime.leaseVersion(await tinyPackage(dir, { seed: 7 }))
  await assert.rejects(diagnosis(lease, 'none', 'FRACTURE'), { code: 'unknown-target' })
})

test('an input of the wrong size is refused and the host goes on', async (t) => {
  const { dir, runtime } = await startBench(t)
  const lease = await runtime.leaseVersion(await tinyPackage(dir, { seed: 8 }))
  await assert.rejects(lease.infer(new Float32Array(7)), { code: 'internal' })
  assert.equal((await lease.infer(TENSOR)).logits?.length, 1)
})

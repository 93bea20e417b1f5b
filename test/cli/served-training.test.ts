// Datasets and trainings from the command line: in the running server's queue, and without a server in this process.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import test from 'node:test'
import type { RunSet } from '../../src/app/runs/run-set.ts'
import type { Dataset } from '../../src/registry/runs/datasets.ts'
import type { Run } from '../../src/registry/runs/runs.ts'
import type { Version } from '../../src/registry/versions/versions.ts'
import { homeFolders, servedHome, untilReady } from '../support/home.ts'
import { drawDataset } from '../support/training/drawn-dataset.ts'
import { assertRefused, COMMAND, roentgen, roentgenJson } from './run-cli.ts'

const SMALL = ['--image-size', '32', '--batch-size', '8', '--learning-rate', '0.003']

test('without a server a dataset is scanned and prepared by the command itself', async (t) => {
  const { env, root } = await homeFolders(t)
  await drawDataset(join(root, 'datasets', 'spots'), 20)
  const run = (...words: string[]) => roentgen(words, { env, cwd: root })
  const scanned = await run('dataset', 'scan', 'spots')
  assert.equal(scanned.status, 0, scanned.stderr)
  assert.match(scanned.stdout, /^class +images\nNORMAL +20\nSICK +20\n/)
  assert.match(scanned.stdout, /Warning: NORMAL has 20 images/)
  const words = ['dataset', 'prepare', 'datasets/spots', '--max-per-class', '16']
  const prepared = await roentgenJson<Dataset>([...words, '--image-size', '32'], { env, cwd: root })
  assert.deepEqual([prepared.state, prepared.prepared?.images], ['prepared', 32])
  const without = ['dataset', 'prepare', 'spots', '--exclude', 'SICK/0.png', '*/1*']
  const fewer = await roentgenJson<Dataset>([...without, '--image-size', '32'], { env, cwd: root })
  assert.equal(fewer.prepared?.images, 40 - 1 - 2 * 11)
  const reasons = fewer.prepared.setAside.files.map(({ reason }) => reason)
  assert.deepEqual(new Set(reasons), new Set(['Excluded by user.']))
  assertRefused(await run('dataset', 'scan', '..'), /outside the dataset folder/)
  assertRefused(await run('dataset', 'scan', 'none'), /no folder "none"/)
  assertRefused(await run('dataset', 'prepare', 'spots', '--condition', 'x'), /no condition "x"/)
})

test('train goes through the running server: its queue, its log, its version', async (t) => {
  const folders = await homeFolders(t)
  const { env, root } = folders
  await drawDataset(join(root, 'datasets', 'spots'), 30)
  const server = await servedHome(folders)
  await untilReady(server.url)
  const words = ['train', '--condition', 'spots', '--dataset', 'spots', ...SMALL]
  const { version, run } = await roentgenJson<{ version: Version; run: Run }>(
    [...words, '--preset', 'quick', '--epochs', '2', '--tag', 'trial'],
    { env, cwd: root },
  )
  assert.equal(version.id, 'spots/tiny-cnn-quick@1')
  assert.deepEqual([run.state, run.via, version.tags], ['finished', 'cli', ['trial']])
  const listed = await (await fetch(`${server.url}/api/v1/runs`)).json()
  assert.equal((listed as { items: Run[] }).items[0]?.id, run.id)

  const from = ['--init-from', version.id, '--epochs', '1']
  const next = await roentgenJson<{ run: Run }>([...words, ...from], { env, cwd: root })
  assert.equal(next.run.initFrom, version.id)

  const child = spawn(process.execPath, [COMMAND, ...words, '--epochs', '1000'], {
    env: { PATH: process.env.PATH ?? '', ...env },
    cwd: root,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = once(child, 'exit')
  for await (const line of createInterface({ input: child.stderr })) {
    if (line.startsWith('epoch 1/')) process.kill(-(child.pid as number), 'SIGINT')
  }
  assert.deepEqual(await ended, [0, null])
  const runs = (await (await fetch(`${server.url}/api/v1/runs`)).json()) as { items: Run[] }
  assert.deepEqual(
    runs.items.map(({ state }) => state),
    ['finished', 'finished', 'finished'],
  )
  const all = ['train', '--all', '--architecture', 'tiny_cnn', ...SMALL, '--epochs', '1']
  const settings = ['--set', 'optimizer=sgd', 'trainedLayers=4', 'augmentation=null']
  const set = await roentgenJson<RunSet>([...all, ...settings], { env, cwd: root })
  assert.deepEqual(
    set.runs.map(({ run: { preset, state } }) => [preset, state]),
    [
      ['heatmap-standard', 'finished'],
      ['heatmap-intensive', 'finished'],
    ],
  )
  const { optimizer, trainedLayers, augmentation } = set.runs[0]?.run.hyperparameters ?? {}
  assert.deepEqual([optimizer, trainedLayers, augmentation], ['sgd', 4, null])
  assert.deepEqual([set.ended, set.done, set.etaSeconds], [2, 1, 0])
  const wrong = await roentgen([...all, '--set', 'optimizer=best'], { env, cwd: root })
  assertRefused(wrong, /"optimizer" is wrong/)
  assertRefused(
    await roentgen(['train'], { env, cwd: root }),
    /--condition and --dataset, or --all/,
  )
  assertRefused(await roentgen([...all, '--set', 'x'], { env, cwd: root }), /name=value/)
  const unknown = await roentgen([...words, '--architecture', 'alexnet'], { env, cwd: root })
  assertRefused(unknown, /"alexnet" (cannot be trained|is not an architecture)/)
})

// Synthetic images and a training from the command line.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import test from 'node:test'
import type { Version } from '../../src/registry/versions/versions.ts'
import { homeFolders } from '../support/home.ts'
import { drawDataset } from '../support/training/drawn-dataset.ts'
import { COMMAND, roentgen, roentgenJson } from './run-cli.ts'

test('dataset synth draws a folder for each class, the same for the same seed', async (t) => {
  const { env, root } = await homeFolders(t)
  const synth = (out: string, ...more: string[]) => {
    const words = ['dataset', 'synth', '--condition', 'pneumonia', '--size', '32', '--out', out]
    return roentgen([...words, ...more], { env, cwd: root })
  }
  const made = await synth('a', '--per-class', '2', '--seed', '3')
  assert.equal(made.status, 0, made.stderr)
  assert.match(made.stdout, /Made 2 NORMAL, 2 PNEUMONIA/)
  assert.match(made.stdout, /Synthetic demonstration, not for use on patients/)
  assert.equal((await synth('b', '--count', '4', '--seed', '3')).status, 0)
  const [name = ''] = await readdir(join(root, 'a', 'PNEUMONIA'))
  const bytes = (out: string) => readFile(join(root, out, 'PNEUMONIA', name))
  assert.deepEqual(await bytes('a'), await bytes('b'))

  const again = await synth('a', '--per-class', '2')
  assert.equal(again.status, 1)
  assert.match(again.stderr, /^roentgen: [^\n]*not empty[^\n]*\n$/)
  const without = await synth('c')
  assert.equal(without.status, 1)
  assert.match(without.stderr, /the number per class or the total/)
})

test('train leaves a registered version that says it is synthetic and does not answer yet', async (t) => {
  const { env, root } = await homeFolders(t)
  const run = { env, cwd: root }
  const synth = ['dataset', 'synth', '--condition', 'pneumonia', '--per-class', '24']
  const drawn = await roentgen([...synth, '--size', '32', '--out', 'data-set'], run)
  assert.equal(drawn.status, 0, drawn.stderr)
  const words = ['train', '--condition', 'pneumonia', '--dataset', 'data-set', '--epochs', '1']
  const { version } = await roentgenJson<{ version: Version }>(
    [...words, '--preset', 'quick', '--image-size', '32', '--batch-size', '8', '--tag', 'trial'],
    run,
  )
  assert.equal(version.id, 'pneumonia/tiny-cnn-quick@1')
  assert.match(version.notice ?? '', /synthetic demonstration/)
  assert.ok(version.tags.includes('trial'))
  const listed = await roentgen(['versions', 'list'], run)
  assert.match(listed.stdout, /^pneumonia\/tiny-cnn-quick@1 {2}/m)

  const absent = await roentgen(['train', '--condition', 'x', '--dataset', 'none'], run)
  assert.equal(absent.status, 1)
  assert.match(absent.stderr, /^roentgen: There is no folder "none"\.\n$/)
  const unknown = await roentgen([...words, '--architecture', 'alexnet'], run)
  assert.equal(unknown.status, 1)
  assert.match(
    unknown.stderr,
    /roentgen: "alexnet" (?:cannot be trained|is not an architecture)[^\n]*\n$/,
  )
})

test('Ctrl-C once ends a training after its batch and keeps the best so far', async (t) => {
  const { env, root } = await homeFolders(t)
  await drawDataset(join(root, 'spots'), 24)
  const words = ['train', '--condition', 'spots', '--dataset', 'spots', '--epochs', '1000']
  const child = spawn(
    process.execPath,
    [COMMAND, ...words, '--image-size', '32', '--batch-size', '8'],
    { env, cwd: root, detached: true, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const output = text(child.stdout)
  for await (const line of createInterface({ input: child.stderr })) {
    // As a terminal does it: to the whole group.
    if (line.startsWith('epoch 1/')) process.kill(-(child.pid as number), 'SIGINT')
  }
  assert.match(await output, /^version +spots\/tiny-cnn-standard@1\n/)
  assert.match(await output, /\(stopped by hand\)/)
})

// roentgen weights list | fetch | import, and what they say when it does not work.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { getArchitecture } from '../../src/architectures/catalogue.ts'
import type { StoredWeights } from '../../src/conversion/pretrained/weights-store.ts'
import { homeFolders } from '../support/home.ts'
import { torchStateDict } from '../support/weights/torch-state-dict.ts'
import { assertRefused, roentgen, roentgenJson } from './run-cli.ts'

const fixture = (name: string) =>
  fileURLToPath(new URL(`../conversion/pretrained/fixtures/${name}`, import.meta.url))

test('weights are imported from a file and listed', async (t) => {
  const { root, env } = await homeFolders(t)
  const path = join(root, 'Chest Net.safetensors')
  const architecture = getArchitecture('densenet121')
  await torchStateDict(path, { architecture, channels: 1, outputs: 1 })
  const words = ['weights', 'import', path]
  assertRefused(await roentgen(words, { env }), /say it with --preprocessing/)
  const kept = await roentgenJson<StoredWeights>([...words, '--preprocessing', 'xrv'], { env })
  assert.deepEqual([kept.name, kept.architecture], ['chest-net', 'densenet121'])
  assert.deepEqual([kept.scaling.mean, kept.scaling.scale], [[1024], 2048 / 255])
  const list = await roentgen(['weights', 'list'], { env })
  assert.match(list.stdout, /chest-net +densenet121 +7,031,232 +grey +Chest Net\.safetensors/)
  assert.match(list.stdout, /Available: densenet121, resnet50/)
})

test('what cannot be imported or fetched is one line on stderr', async (t) => {
  const { root, env, dataDir } = await homeFolders(t)
  const refused: readonly [string[], RegExp][] = [
    [['import', join(root, 'absent.pth')], /does not exist or is not readable/],
    [['import', fixture('hostile-system.pth')], /"posix\.system".*nothing of it was run/],
    [
      ['import', fixture('state.pth'), '--architecture', 'lenet'],
      /"lenet" (cannot be trained|is not an architecture)/,
    ],
    [['import', fixture('state.pth'), '--preprocessing', 'magic'], /"preprocessing/],
    [['fetch', 'lenet'], /No weights are published as "lenet"/],
  ]
  const ended = await Promise.all(
    refused.map(([words]) => roentgen(['weights', ...words], { env })),
  )
  for (const [i, [, message]] of refused.entries()) {
    assertRefused(ended[i] as (typeof ended)[number], message)
  }
  const nowhere = { ...env, ROENTGEN_WEIGHTS_URL: 'http://127.0.0.1:9/' }
  assertRefused(
    await roentgen(['weights', 'fetch', 'vgg16', '--json'], { env: nowhere }),
    /127\.0\.0\.1 cannot be reached/,
  )
  const wrong = { ...env, ROENTGEN_WEIGHTS_URL: 'somewhere' }
  assertRefused(
    await roentgen(['weights', 'fetch', 'vgg16'], { env: wrong }),
    /ROENTGEN_WEIGHTS_URL is "somewhere", but must be an https address/,
  )
  assert.equal(existsSync(join(dataDir, 'weights', 'vgg16-imagenet.json')), false)
})

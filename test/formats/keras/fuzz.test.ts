// Damaged Keras files load, or are refused in one sentence; nothing else comes out, and the next file is read as before.
// Of a thousand more, a few make the HDF5 library itself turn for ever; an import ends its child process then.
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { isAppError } from '../../../src/errors.ts'
import { loadKeras } from '../../../src/formats/keras/read/load-keras.ts'
import { mutated, seeded } from '../../support/seeded-mutations.ts'

const FIXTURES = fileURLToPath(new URL('fixtures/', import.meta.url))
const ROUNDS = 60

for (const file of ['keras2.h5', 'functional-keras3.h5', 'sequential.keras']) {
  test(`${file}, damaged ${ROUNDS} times, is read or refused in one sentence`, async (t) => {
    const dir = await mkdtemp(join(tmpdir(), 'roentgen-keras-'))
    t.after(() => rm(dir, { recursive: true, force: true }))
    const whole = await readFile(join(FIXTURES, file))
    const path = join(dir, 'm')
    let refused = 0
    for (let round = 0; round < ROUNDS; round++) {
      await writeFile(path, mutated(whole, seeded(round)))
      const workDir = join(dir, `work${round}`)
      try {
        const model = await loadKeras(path, { workDir })
        model.dispose()
      } catch (error) {
        assert.ok(isAppError(error), `${round}: ${error}`)
        assert.equal(error.code, 'invalid-package', `${round}`)
        assert.match(error.message, /^[^\n]{20,400}\.$/, `${round}`)
        refused++
      }
      await rm(workDir, { recursive: true, force: true })
    }
    t.diagnostic(`${refused} of ${ROUNDS} refused`)
    await writeFile(path, whole)
    await loadKeras(path, { workDir: join(dir, 'last') })
  })
}

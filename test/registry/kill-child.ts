// Registers, imports, activates, rolls back and deletes at random until it is killed; says on standard output what it begins and
// what it was told. Started by kill.test.ts with the home and a seed.
import { createWriteStream, writeSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { formatVersion } from '../../src/package/ids.ts'
import { zipPackage } from '../../src/package/zip-package.ts'
import { activateVersion } from '../../src/registry/activation/activate.ts'
import { recover } from '../../src/registry/activation/recover.ts'
import { findRollbackTarget, rollbackCondition } from '../../src/registry/activation/rollback.ts'
import { getCondition } from '../../src/registry/conditions/conditions.ts'
import { openRegistry } from '../../src/registry/home/open-registry.ts'
import { openStore } from '../../src/registry/home/store.ts'
import { importPackageZip } from '../../src/registry/versions/exchange-package.ts'
import { registerPackage } from '../../src/registry/versions/register-package.ts'
import { presentVersions } from '../../src/registry/versions/verify-all.ts'
import { deleteVersion } from '../../src/registry/versions/version-bin.ts'
import { writePackage } from '../support/package.ts'
import { ANNA, FakeGate, SILENT } from '../support/registry.ts'

const [home = '', seedText = '1'] = process.argv.slice(2)
let state = Number(seedText)
/** mulberry32: a small seeded generator, so that a failure can be run again. */
function random(): number {
  state = (state + 0x6d2b79f5) | 0
  let t = Math.imul(state ^ (state >>> 15), 1 | state)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296
}

function say(line: string): void {
  writeSync(1, `${line}\n`)
}

const dataDir = join(home, 'data')
const { db } = await openRegistry({ dataDir })
const store = await openStore({ modelsDir: join(home, 'models'), dataDir })
const ctx = { db, store, gate: new FakeGate(), clock: () => new Date(), log: SILENT }
await recover(ctx)
say('ready')
for (let round = 0; ; round++) {
  const versions = await presentVersions(db)
  const dice = random()
  const chosen = versions[Math.floor(random() * versions.length)]
  if (versions.length < 3 || !chosen || (dice < 0.3 && versions.length < 8)) {
    const fromDir = join(home, `incoming-${seedText}-${round}`)
    const fields = { condition: random() < 0.5 ? 'pneumonia' : 'covid' }
    const { manifest } = await writePackage(fromDir, { seed: state, fields })
    const rest = { actor: ANNA, clock: ctx.clock }
    const zipPath = `${fromDir}.zip`
    const isImport = random() < 0.5
    if (isImport) {
      const zip = zipPackage(fromDir, { manifest, folder: 'it', comment: '' })
      await pipeline(zip, createWriteStream(zipPath))
    }
    say('begin register')
    const { version } = isImport
      ? await importPackageZip(ctx, { zipPath, ...rest })
      : await registerPackage(ctx, { fromDir, move: true, ...rest })
    say(`registered ${version.id}${isImport ? ' imported' : ''}`)
  } else if (dice < 0.4) {
    const { active } = await getCondition(db, chosen.condition)
    if (active?.version === chosen.id) continue
    say(`begin delete ${chosen.id}`)
    await deleteVersion(ctx, { ref: chosen, actor: ANNA, clock: ctx.clock })
    say(`deleted ${chosen.id}`)
  } else {
    const rollback = dice > 0.8 && (await findRollbackTarget(db, chosen.condition))
    const version = rollback || chosen
    const request = { condition: chosen.condition, reason: 'random', ...ANNA }
    say(`begin activate ${chosen.condition} ${formatVersion(version)}`)
    if (rollback) await rollbackCondition(ctx, request)
    else await activateVersion(ctx, { ...request, version })
    say(`activated ${chosen.condition} ${formatVersion(version)}`)
  }
}

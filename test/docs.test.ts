// The documentation cannot rot: settings, rooms, dependencies and links are compared with what is there.
import assert from 'node:assert/strict'
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { settingsPage } from '../scripts/settings.ts'
import { SETTINGS } from '../src/settings.ts'

const ROOT = fileURLToPath(new URL('../', import.meta.url))
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')
const readme = read('README.md')

test('the page of settings is what the code declares', () => {
  assert.equal(read('docs/reference/settings.md'), settingsPage())
  assert.ok(Object.keys(SETTINGS).length > 20)
})

test('every room of src is on the page about the architecture', () => {
  const page = read('docs/architecture.md')
  const missing = readdirSync(join(ROOT, 'src'), { withFileTypes: true })
    .map((room) => `\`src/${room.name}${room.isDirectory() ? '/' : ''}\``)
    .filter((room) => !page.includes(room))
  assert.deepEqual(missing, [])
})

test('every file that the pages for developers name exists', () => {
  const text = ['docs/architecture.md', 'docs/how-to/README.md'].map(read).join('\n')
  const names = [...text.matchAll(/`((?:src|views|test|scripts)\/[\w./-]+\.(?:ts|md))`/g)]
  assert.ok(names.length > 40)
  assert.deepEqual(
    names.map(([, name]) => name ?? '').filter((name) => !existsSync(join(ROOT, name))),
    [],
  )
})

test('the README stays short and names the two commands', () => {
  const lines = readme.split('\n')
  assert.ok(lines.length < 150, `${lines.length} lines`)
  for (const command of ['npm start', 'npm test']) {
    assert.ok(lines.some((line) => line.startsWith(command)))
  }
})

test('every dependency has its line in the decision record', () => {
  const { dependencies, devDependencies, optionalDependencies } = JSON.parse(read('package.json'))
  const record = read('docs/decisions/0004-dependencies.md')
  const names = Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies })
  const missing = names.filter((name) => !name.startsWith('@types/') && !record.includes(name))
  assert.deepEqual(missing, [])
})

test('every dependency is named by a string of the code, or is the runtime or a file that is served', () => {
  const { dependencies } = JSON.parse(read('package.json'))
  const code = globSync('{src,views,scripts}/**/*.{ts,mjs}', { cwd: ROOT }).map(read).join('\n')
  const imported = new Set(
    [...code.matchAll(/(?<![\w.])'([@a-z][^'\s]*)'/g)].map(([, name = '']) =>
      name.split('/', name.startsWith('@') ? 2 : 1).join('/'),
    ),
  )
  const served = readdirSync(join(ROOT, 'public/vendor')).join(' ')
  const unused = Object.keys(dependencies).filter(
    (name) => name !== 'node' && !imported.has(name) && !served.includes(name.replace('.org', '')),
  )
  assert.deepEqual(unused, [])
})

test('every relative link and image of the documents leads somewhere', () => {
  const documents = ['README.md', 'CHANGELOG.md', ...globSync('docs/**/*.md', { cwd: ROOT })]
  const dead = documents.flatMap((document) =>
    [...read(document).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)]
      .map((match) => match[1] ?? '')
      .filter((target) => !existsSync(join(ROOT, dirname(document), target)))
      .map((target) => `${document} -> ${target}`),
  )
  assert.deepEqual(dead, [])
})

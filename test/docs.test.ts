// The documentation cannot rot: settings, rooms, dependencies and links are compared with what is there.
import assert from 'node:assert/strict'
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { SETTINGS } from '../src/config.ts'

const ROOT = fileURLToPath(new URL('../', import.meta.url))
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')
const readme = read('README.md')

test('every setting is in the README with its default and its meaning', () => {
  const missing = Object.entries(SETTINGS).filter(([name, [fallback, meaning]]) => {
    const shown = fallback === '' ? 'unset' : `\`${fallback}\``
    return !readme.includes(`| \`${name}\` | ${shown} | ${meaning} |`)
  })
  assert.deepEqual(missing, [])
})

test('every room of src is in the project structure of the README', () => {
  const rooms = readdirSync(join(ROOT, 'src'), { withFileTypes: true })
  const missing = rooms
    .map((room) => `src/${room.name}${room.isDirectory() ? '/' : ''}`)
    .filter((room) => !readme.includes(room))
  assert.deepEqual(missing, [])
})

test('every dependency has its line in the decision record', () => {
  const { dependencies, devDependencies, optionalDependencies } = JSON.parse(read('package.json'))
  const record = read('docs/decisions/0004-dependencies.md')
  const names = Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies })
  const missing = names.filter((name) => !name.startsWith('@types/') && !record.includes(name))
  assert.deepEqual(missing, [])
})

test('every dependency is used', () => {
  const { dependencies } = JSON.parse(read('package.json'))
  const code = globSync('{src,views,scripts,bin,public}/**/*.{ts,mjs,js}', { cwd: ROOT })
    .map(read)
    .join('\n')
  const unused = Object.keys(dependencies).filter(
    (name) =>
      name !== 'node' && !code.includes(`'${name}`) && !code.includes(name.split('.')[0] ?? name),
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

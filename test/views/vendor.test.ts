// The pinned copies in public/vendor are what their packages ship, unchanged.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

test('the htmx that is served is the one that the lockfile pins', () => {
  const { version } = JSON.parse(read('node_modules/htmx.org/package.json')) as { version: string }
  assert.equal(
    read(`public/vendor/htmx-${version}.min.js`),
    read('node_modules/htmx.org/dist/htmx.min.js'),
  )
  assert.match(read('public/vendor/LICENSES.md'), new RegExp(`htmx-${version}\\.min\\.js.*0BSD`))
  assert.match(read('views/shared/layout.ts'), new RegExp(`vendor/htmx-${version}\\.min\\.js`))
})

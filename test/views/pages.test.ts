// Rules that hold for every page, whatever it shows.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse } from 'node-html-parser'
import { errorPage } from '../../views/shared/error.ts'
import { PAGES, problem } from './pages.ts'
import { frame } from './samples.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

test('the bar shows where one is, on pages whose address begins otherwise, too', () => {
  const here = (path: string) =>
    parse(String(errorPage({ frame: { ...frame, path }, problem }))).querySelector('[aria-current]')
      ?.text
  assert.deepEqual(['/', '/batch/bt_1', '/ab', '/compare', '/archive'].map(here), [
    'Diagnose',
    'Diagnose',
    'Compare',
    'Compare',
    undefined,
  ])
})

for (const [name, html] of Object.entries(PAGES)) {
  const text = String(html)
  const root = parse(text)

  test(`${name}: is one whole document with one main heading and a title`, () => {
    assert.match(text, /^<!doctype html>/)
    assert.equal(root.querySelectorAll('h1').length, 1)
    assert.match(root.querySelector('title')?.text ?? '', / · Roentgen$/)
    assert.equal(root.querySelectorAll('main').length, 1)
  })

  test(`${name}: says that it is for research and not a medical device`, () => {
    assert.match(root.text, /Research use only\. Not a medical device\./)
  })

  test(`${name}: has no script, style or handler in the page that a strict policy would block`, () => {
    assert.deepEqual(root.querySelectorAll('[style], style').map(String), [])
    assert.equal(root.querySelectorAll('script:not([src])').length, 0)
    assert.doesNotMatch(text, /\son[a-z]+=|hx-on|javascript:/)
    assert.doesNotMatch(text, /(?:src|href|action)="(?:https?:)?\/\//)
  })

  test(`${name}: uses each id once, and every label and fragment names one that exists`, () => {
    const ids = root.querySelectorAll('[id]').map((one) => one.id)
    assert.deepEqual(
      ids.filter((id, at) => ids.indexOf(id) !== at),
      [],
    )
    const named = [
      ...root.querySelectorAll('label[for]').map((one) => one.getAttribute('for') ?? ''),
      ...root
        .querySelectorAll('[aria-describedby]')
        .map((one) => one.getAttribute('aria-describedby') ?? ''),
      ...root
        .querySelectorAll('[hx-target^="#"]')
        .map((one) => one.getAttribute('hx-target')?.slice(1) ?? ''),
    ]
    const isEmptyDesk = name === 'diagnose without conditions'
    assert.deepEqual(
      named.filter((id) => !ids.includes(id) && !isEmptyDesk),
      [],
    )
  })

  test(`${name}: every control has a name for those who do not see it`, () => {
    const labelled = new Set(
      root.querySelectorAll('label[for]').map((one) => one.getAttribute('for')),
    )
    const controls = root.querySelectorAll('input:not([type=hidden]), select, textarea, progress')
    const nameless = controls.filter(
      (one) => !labelled.has(one.id) && !one.getAttribute('aria-label'),
    )
    assert.deepEqual(nameless.map(String), [])
    assert.deepEqual(root.querySelectorAll('img:not([alt])').map(String), [])
  })

  test(`${name}: an htmx form is the same plain form first`, () => {
    for (const form of root.querySelectorAll('form')) {
      const method = form.getAttribute('method') ?? ''
      assert.match(method, /^(get|post)$/)
      assert.ok(form.getAttribute('action'), String(form))
      const swapped = form.getAttribute(`hx-${method}`)
      if (swapped) assert.equal(swapped, form.getAttribute('action'))
    }
  })

  test(`${name}: every style, script and picture of the product exists and carries its version`, () => {
    const links = [...text.matchAll(/(?:href|src)="\/public\/([^"]+)"/g)].map(
      (match) => match[1] ?? '',
    )
    assert.ok(links.length > 5)
    for (const link of links) {
      const [path, query] = link.split('?')
      assert.ok(existsSync(`${ROOT}public/${path}`), path)
      assert.equal(query, 'v=0.1.0')
    }
  })
}

// The checklist of the five seeds: each row points at something that exists, and no item of a seed is missing from it.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { buildProgram } from '../src/cli/program.ts'
import { createApp } from '../src/server/app.ts'
import { homeFolders, openedHome, TOKEN } from './support/home.ts'
import { sharedPath } from './support/shared.ts'

const ROOT = fileURLToPath(new URL('../', import.meta.url))
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')
const page = read('docs/guide/seeds.md')

interface Row {
  readonly item: string
  readonly state: string
  readonly references: readonly string[]
}

const rows: readonly Row[] = page
  .split('\n')
  .filter((line) => line.startsWith('| ') && !/^\| (Item|---)/.test(line))
  .map((line) => {
    const cells = line.slice(1, -1).split(/(?<!\\)\|/)
    assert.equal(cells.length, 4, line)
    const [item = '', , state = '', references = ''] = cells.map((cell) => cell.trim())
    return {
      item,
      state,
      references: [...references.matchAll(/`([^`]+)`/g)].map(([, one]) => one ?? ''),
    }
  })

function leaves(command: Command, words: readonly string[] = []): string[] {
  return command.commands.flatMap((one) => {
    const here = [...words, one.name()]
    return one.commands.length > 0 ? leaves(one, here) : [here.join(' ')]
  })
}

test('every row of the checklist has a known state and points at something', () => {
  assert.ok(rows.length > 100, `${rows.length} rows`)
  const unclear = rows.filter(
    ({ state, references }) =>
      !/^(met|partly|declined|planned, issue \d+)$/.test(state) || references.length === 0,
  )
  assert.deepEqual(unclear, [])
})

test('what each row points at exists: a page or address, a command, a file', async (t) => {
  const { home } = await openedHome(await homeFolders(t))
  const routes = new Set(
    createApp(home, { token: TOKEN }).routes.map(({ method, path }) => `${method} ${path}`),
  )
  const commands = new Set(leaves(buildProgram()).map((words) => `roentgen ${words}`))
  const exists = (reference: string): boolean => {
    if (/^(GET|POST) /.test(reference)) return routes.has(reference)
    if (reference.startsWith('roentgen ')) return commands.has(reference)
    // What a training leaves in a package: test/training/record.test.ts looks for these files in a real one.
    if (reference.startsWith('package ')) return true
    return existsSync(join(ROOT, reference))
  }
  const lost = rows.flatMap(({ item, references }) =>
    references.filter((one) => !exists(one)).map((one) => `${one} (${item})`),
  )
  assert.deepEqual(lost, [])
})

test('every item that a seed prints in bold is in the checklist', (t) => {
  const folder = sharedPath('seeds')
  // The five documents are no part of the product; their items are also rows of the checklist, tested above.
  if (!folder) return t.skip('the seeds are not beside this checkout')
  // The seeds were decoded wrongly once: only their ASCII letters are compared.
  const plain = (text: string): string =>
    ` ${text
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, ' ')
      .trim()} `
  const sections = page.split(/^## Seed /m).slice(1)
  const missing = readdirSync(folder).flatMap((file) => {
    const section = plain(sections.find((one) => one.startsWith(file.slice(0, 3))) ?? '')
    const text = readFileSync(join(folder, file), 'latin1')
    const items = [...text.matchAll(/\*\*([^*\n]+)\*\*/g)].map(([, item]) => plain(item ?? ''))
    return items
      .filter((item) => item.trim() !== '' && !section.includes(item))
      .map((item) => `${file.slice(0, 3)}: ${item.trim()}`)
  })
  assert.deepEqual([...new Set(missing)], [])
})

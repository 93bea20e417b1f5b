// Text from outside is shown as text: names, reasons, comments and file names may hold anything.
import assert from 'node:assert/strict'
import test from 'node:test'
import { parse } from 'node-html-parser'
import { compareResult } from '../../views/comparisons/show.ts'
import { conditionPage } from '../../views/conditions/show.ts'
import { diagnosePage } from '../../views/predictions/form.ts'
import { predictionListPage } from '../../views/predictions/list.ts'
import { predictionPage } from '../../views/predictions/show.ts'
import { errorPage } from '../../views/shared/error.ts'
import { apiDocsPage } from '../../views/system/api-docs.ts'
import { statusPage } from '../../views/system/status.ts'
import { modelListPage } from '../../views/versions/list.ts'
import { modelPage } from '../../views/versions/show.ts'
import { history } from './history-samples.ts'
import {
  conditionProps,
  modelListProps,
  predictionListProps,
  predictionProps,
  problem,
  statusProps,
} from './pages.ts'
import * as sample from './samples.ts'

const HOSTILE = `"><script>alert(1)</script><img src=x onerror='alert(2)'>`

/** The same shape with every string replaced, except those that a page decides by. */
function poison<T>(value: T): T {
  const KEEP = new Set([
    'kind',
    'status',
    'policy',
    'state',
    'via',
    'outcome',
    'role',
    'verdict',
    'order',
    'sort',
    'mode',
  ])
  const walk = (one: unknown, key: string): unknown => {
    if (typeof one === 'string') return KEEP.has(key) ? one : HOSTILE
    if (Array.isArray(one)) return one.map((item) => walk(item, key))
    if (typeof one === 'object' && one !== null) {
      return Object.fromEntries(Object.entries(one).map(([name, item]) => [name, walk(item, name)]))
    }
    return one
  }
  return walk(value, '') as T
}

const pages = {
  diagnose: diagnosePage(
    poison({
      frame: sample.frame,
      choices: sample.choices,
      chosen: { condition: 'x', operatingPoint: 'x' },
      examples: sample.examples,
      limits: sample.limits,
      problem,
    }),
  ),
  comparison: compareResult(poison(sample.comparison)),
  prediction: predictionPage(poison({ frame: sample.frame, ...predictionProps })),
  predictions: predictionListPage(poison({ ...predictionListProps, filter: { version: 'x' } })),
  models: modelListPage(poison(modelListProps)),
  model: modelPage(
    poison({
      frame: sample.frame,
      version: sample.version({ notes: 'x' }),
      condition: sample.pneumonia,
      siblings: [sample.older],
      activations: history,
    }),
  ),
  condition: conditionPage(poison(conditionProps)),
  status: statusPage(poison(statusProps)),
  api: apiDocsPage({
    frame: sample.frame,
    openapi: {
      info: { description: HOSTILE },
      paths: { [HOSTILE]: { get: { tags: [HOSTILE], summary: HOSTILE } } },
    },
  }),
  error: errorPage(poison({ frame: sample.frame, problem: { ...problem } })),
}

for (const [name, html] of Object.entries(pages)) {
  test(`${name}: hostile text stays text`, () => {
    const text = String(html)
    const root = parse(text)
    assert.equal(root.querySelectorAll('script:not([src])').length, 0)
    assert.equal(root.querySelectorAll('[onerror]').length, 0)
    assert.doesNotMatch(text, /<img src=x/)
    assert.match(text, /&lt;script&gt;/)
  })
}

test('an address made of hostile parts stays inside its path', () => {
  const text = String(predictionPage(poison({ frame: sample.frame, ...predictionProps })))
  const actions = parse(text)
    .querySelectorAll('form')
    .map((one) => one.getAttribute('action') ?? '')
  for (const action of actions) assert.match(action, /^\/predictions\/[^/?#]+\/(feedback|delete)$/)
})

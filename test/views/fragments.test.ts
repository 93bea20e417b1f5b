// A fragment that htmx swaps in is the very text that its page contains, so that the two cannot drift apart.
import assert from 'node:assert/strict'
import test from 'node:test'
import { compareResult } from '../../views/comparisons/show.ts'
import { historyTimeline } from '../../views/conditions/history.ts'
import { conditionPage, conditionPanel } from '../../views/conditions/show.ts'
import { feedbackPanel } from '../../views/predictions/feedback.ts'
import { predictionListPage, predictionRows } from '../../views/predictions/list.ts'
import { predictionResult } from '../../views/predictions/result.ts'
import { predictionPage } from '../../views/predictions/show.ts'
import { errorPage, problemNotice } from '../../views/shared/error.ts'
import { statusPage, statusPanel } from '../../views/system/status.ts'
import { modelListPage, modelRows } from '../../views/versions/list.ts'
import {
  conditionProps,
  modelListProps,
  PAGES,
  predictionListProps,
  predictionProps,
  problem,
  statusProps,
} from './pages.ts'
import { comparison, frame } from './samples.ts'

const PAIRS = {
  'a result': [predictionResult(predictionProps), predictionPage({ frame, ...predictionProps })],
  feedback: [feedbackPanel(predictionProps), predictionPage({ frame, ...predictionProps })],
  'a comparison': [compareResult(comparison), PAGES.comparison],
  'rows of predictions': [
    predictionRows(predictionListProps),
    predictionListPage(predictionListProps),
  ],
  'rows of models': [modelRows(modelListProps), modelListPage(modelListProps)],
  'the panel of a condition': [conditionPanel(conditionProps), conditionPage(conditionProps)],
  'a history': [
    historyTimeline({ ...conditionProps, conditionId: 'pneumonia' }),
    conditionPage(conditionProps),
  ],
  'the state of things': [statusPanel(statusProps), statusPage(statusProps)],
  'a problem': [problemNotice(problem), errorPage({ frame, problem })],
} as const

for (const [name, [fragment, page]] of Object.entries(PAIRS)) {
  test(`${name} as a fragment is found inside its page`, () => {
    assert.ok(String(fragment).length > 50)
    assert.ok(String(page).includes(String(fragment)))
  })
}

// How much of the machine a training may take, and how warm it may get. Empty fields keep what the server is set to.
import { html } from 'hono/html'
import { field, type Html } from '../shared/components.ts'

const SETTINGS = [
  {
    name: 'pauseAboveCelsius',
    label: 'Processor: pause from (°C)',
    min: 20,
    max: 120,
    hint: 'it takes a cooling break at this temperature; 90 unless the server is set otherwise',
  },
  {
    name: 'goOnBelowCelsius',
    label: 'Processor: go on below (°C)',
    min: 20,
    max: 120,
    hint: '80 unless the server is set otherwise',
  },
  {
    name: 'gpuPauseAboveCelsius',
    label: 'Graphics card: pause from (°C)',
    min: 20,
    max: 120,
    hint: '85 unless the server is set otherwise',
  },
  {
    name: 'gpuGoOnBelowCelsius',
    label: 'Graphics card: go on below (°C)',
    min: 20,
    max: 120,
    hint: '75 unless the server is set otherwise',
  },
  {
    name: 'leastBreakSeconds',
    label: 'Shortest cooling break (s)',
    min: 0,
    max: 3600,
    hint: '20',
  },
  {
    name: 'dutyPercent',
    label: 'Duty cycle (%)',
    min: 10,
    max: 100,
    hint: 'share of the time that it computes; it rests the others',
  },
  {
    name: 'threads',
    label: 'Processors at most',
    min: 1,
    max: 1024,
    hint: 'fixed at the start; all when empty',
  },
] as const

export function coolingSettings(chosen: ReadonlyMap<string, string>): Html {
  return html`<details class="options"><summary>Sparing the machine</summary>
    <p class="hint">A training looks at the temperatures between batches, where the machine shows them, and waits while it is too warm. None of this changes the model: it only takes longer.</p>
    <div class="setting-grid">${SETTINGS.map(({ name, label, min, max, hint }) => {
      const id = `cooling.${name}`
      return field(id, {
        label,
        control: html`<input id="${id}" name="${id}" type="number" min="${min}" max="${max}" value="${chosen.get(id) ?? ''}" aria-describedby="${id}-hint" />`,
        hint,
      })
    })}</div>
  </details>`
}

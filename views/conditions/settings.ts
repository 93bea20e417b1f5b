// Settings of a condition, and what was changed about it: by whom, when and why.
import { html } from 'hono/html'
import type { Change } from '../../src/registry/conditions/changes.ts'
import type { Condition } from '../../src/registry/conditions/conditions.ts'
import type { Version } from '../../src/registry/versions/versions.ts'
import { badge, field, type Html, options, time } from '../shared/components.ts'
import { operatingPointName } from '../shared/format.ts'
import { links } from '../shared/links.ts'
import { METRICS } from '../shared/version-parts.ts'
import { expectedField } from './activate-form.ts'

export interface SettingsProps {
  readonly condition: Condition
  readonly active: Version | undefined
  /** Newest first. */
  readonly changes?: readonly Change[] | undefined
}

const POLICIES = [
  { value: 'pinned', text: 'Manual' },
  { value: 'follow', text: 'Auto: newest version passing the gate' },
]
const SHOWN = 20

export function settingsForm({ condition, active, changes = [] }: SettingsProps): Html {
  const action = links.conditionSettings(condition.id)
  const points = (active?.operatingPoints ?? []).map(({ name }) => ({
    value: name,
    text: operatingPointName(name),
  }))
  const metrics = METRICS.map(({ key, text }) => ({ value: key, text }))
  const fallback = { value: '', text: 'version default' }
  return html`<details class="panel">
    <summary><h2>Settings</h2></summary>
    <form class="stack" method="post" action="${action}">
      ${expectedField(condition)}
      ${field('name', {
        label: 'Name',
        control: html`<input id="name" name="name"
        value="${condition.name}" required maxlength="100" />`,
      })}
      ${field('bodyPart', {
        label: 'Body part',
        control: html`<input id="bodyPart" name="bodyPart"
        value="${condition.bodyPart}" maxlength="100" />`,
      })}
      ${field('policy', {
        label: 'Policy',
        control: html`<select id="policy"
        name="policy">${options(POLICIES, condition.policy)}</select>`,
      })}
      ${field('operatingPoint', {
        label: 'Operating point',
        control: html`<select
        id="operatingPoint"
        name="operatingPoint">${options([fallback, ...points], condition.operatingPoint ?? '')}</select>`,
      })}
      ${field('metric', { label: 'Gate: metric', control: html`<select id="metric" name="metric">${options(metrics, condition.gate.metric)}</select>` })}
      ${field('margin', {
        label: 'Gate: allowed drop (0 to 1)',
        control: html`<input
        id="margin" name="margin" type="number" min="0" max="1" step="any"
        value="${condition.gate.margin}" required />`,
      })}
      ${field('settings-reason', {
        label: 'Reason',
        control: html`<input id="settings-reason" name="reason" maxlength="500"
        placeholder="stored with the change" autocomplete="off" />`,
      })}
      <button class="button" type="submit">Save</button>
    </form>
    <h3>Classes</h3>
    <ul class="plain">${condition.classes.map(({ label, positive }) => html`<li>${label} ${positive && badge('positive finding', 'neutral', 'positive')}</li>`)}</ul>
    ${changes.length > 0 && changeList(changes)}
  </details>`
}

function changeList(changes: readonly Change[]): Html {
  return html`<h3>Changes</h3>
    <ul class="plain">${changes.slice(0, SHOWN).map(
      (one) => html`<li><strong>${words(one.field)}</strong> ${valueText(one.value)}
      <span class="hint">${time(one.at)} · ${one.by}${one.reason && html` · ${one.reason}`}</span></li>`,
    )}</ul>`
}

/** `operatingPoint` as "operating point", `alias:champion` as "alias champion". */
function words(name: string): string {
  return name.replace(':', ' ').replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}

function valueText(value: unknown): string {
  if (value === null) return 'none'
  if (typeof value !== 'object') return String(value)
  return Object.entries(value)
    .filter(([, one]) => one !== null && typeof one !== 'object')
    .map(([name, one]) => `${words(name)} ${one}`)
    .join(', ')
}

// A version as it appears in other pages: its link, its state, its figures, and the lists to choose one from.
import { html } from 'hono/html'
import type { Condition } from '../../src/registry/conditions/conditions.ts'
import type { Version } from '../../src/registry/versions/versions.ts'
import { badge, type Html, type Tone } from './components.ts'
import { percent } from './format.ts'
import { links } from './links.ts'

/** A condition with the versions that may be chosen for it: not deleted, not quarantined, newest first. */
export interface ConditionChoice {
  readonly condition: Condition
  readonly versions: readonly Version[]
}

/** `pneumonia/tiny-cnn@3` as `tiny-cnn@3`, where the condition is plain from the place. */
export function shortVersion(id: string): string {
  return id.slice(id.indexOf('/') + 1)
}

export function versionLink(id: string): Html {
  return html`<a class="version-link" href="${links.version(id)}">${id}</a>`
}

const STATUS_TONES: Readonly<Record<string, Tone>> = {
  verified: 'good',
  unevaluated: 'warn',
  quarantined: 'bad',
  deleted: 'neutral',
}

export function statusBadge(status: string): Html {
  const tone = STATUS_TONES[status] ?? 'neutral'
  return badge(status, tone, tone === 'good' ? 'check' : tone === 'bad' ? 'cross' : undefined)
}

export function activeBadge(state: 'ok' | 'damaged'): Html {
  return state === 'ok'
    ? badge('active', 'accent', 'check')
    : badge('active, damaged on disk', 'bad', 'warning')
}

/** The notice that a package carries, wherever its version is shown. */
export function versionNotice(text: string | null | undefined): Html | undefined {
  if (!text) return undefined
  return html`<p class="package-notice">${text}</p>`
}

export const METRICS = [
  { key: 'accuracy', text: 'Accuracy' },
  { key: 'balancedAccuracy', text: 'Balanced accuracy' },
  { key: 'auc', text: 'AUC' },
  { key: 'sensitivity', text: 'Sensitivity' },
  { key: 'specificity', text: 'Specificity' },
  { key: 'f1', text: 'F1' },
] as const

/** A metric as text: AUC and F1 are plain figures, the others percentages. */
export function metricText(key: (typeof METRICS)[number]['key'], value: number | null): string {
  if (value === null) return '–'
  return key === 'auc' || key === 'f1' ? value.toFixed(3) : percent(value)
}

interface SelectOptions {
  readonly chosen: string | undefined
  /** First line of the list, e.g. "Active version". Without it the list starts with the versions. */
  readonly first?: string
}

/** `<option>`s of all conditions, grouped; upload.js shows only the group of the chosen condition. */
export function versionOptions(choices: readonly ConditionChoice[], o: SelectOptions): Html {
  return html`${o.first && html`<option value="">${o.first}</option>`}
    ${choices
      .filter(({ versions }) => versions.length > 0)
      .map(
        ({
          condition,
          versions,
        }) => html`<optgroup label="${condition.name}" data-condition="${condition.id}">
        ${versions.map((one) => versionOption(one, condition, o.chosen))}
      </optgroup>`,
      )}`
}

function versionOption(version: Version, condition: Condition, chosen: string | undefined): Html {
  const accuracy = version.metrics?.accuracy
  const notes = [
    condition.active?.version === version.id ? 'active' : '',
    version.status === 'verified' ? '' : version.status,
    typeof accuracy === 'number' ? `accuracy ${percent(accuracy)}` : '',
  ].filter(Boolean)
  const text = `${shortVersion(version.id)}${notes.length > 0 ? ` (${notes.join(', ')})` : ''}`
  return version.id === chosen
    ? html`<option value="${version.id}" selected>${text}</option>`
    : html`<option value="${version.id}">${text}</option>`
}

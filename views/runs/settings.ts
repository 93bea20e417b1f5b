// Everything of a training that can be set beside dataset, architecture and preset, drawn from its declarations; empty
// fields keep the default.
import { html } from 'hono/html'
import type { Version } from '../../src/registry/versions/versions.ts'
import type { SettingField, SettingGroup } from '../../src/training/setting-fields.ts'
import { field, type Html, options } from '../shared/components.ts'

export interface TrainingSettingsProps {
  readonly settings: readonly ShownSetting[]
  /** Versions that a run can start from. */
  readonly versions: readonly Version[]
  /** The form as it was sent. */
  readonly chosen: ReadonlyMap<string, string>
}

export interface ShownSetting extends SettingField {
  /** What an empty field means, in words. */
  readonly usualText: string
}

export function moreSettings(props: TrainingSettingsProps): Html {
  const { versions, chosen } = props
  const retrain = [
    { value: '', text: 'No' },
    ...versions.map(({ id }) => ({ value: id, text: id })),
  ]
  return html`<details class="options"><summary>More settings</summary>
    <h3>Optimization</h3>
    ${group('learning', props)}
    <h3>Images</h3>
    ${group('images', props)}
    <h3>Augmentation</h3>
    ${group('augmentation', props)}
    <h3>Result</h3>
    <div class="setting-grid">
      ${field('initFrom', { label: 'Retrain a version', control: html`<select id="initFrom" name="initFrom">${options(retrain, chosen.get('initFrom') ?? '')}</select>` })}
      ${field('name', { label: 'Name of the version', control: html`<input id="name" name="name" value="${chosen.get('name') ?? ''}" maxlength="64" autocomplete="off" />`, hint: 'Default: architecture and preset.' })}
    </div>
    ${group('output', props)}
  </details>`
}

export function resourceLimits(props: TrainingSettingsProps): Html {
  return html`<details class="options"><summary>Resource limits</summary>
    <p class="hint">Training checks the temperature sensors between batches, where the machine has any, and pauses while it is too hot. These limits make a run slower; they do not change the model.</p>
    ${group('thermal', props)}
  </details>`
}

/** Fields in a grid, check boxes below it. */
function group(name: SettingGroup, { settings, chosen }: TrainingSettingsProps): Html {
  const shown = settings.filter((one) => one.group === name && !one.hasOwnControl)
  const fields = shown.filter(({ kind }) => kind !== 'check')
  const checks = shown.filter(({ kind }) => kind === 'check')
  return html`<div class="setting-grid">${fields.map((one) => settingField(one, chosen.get(one.path) ?? ''))}</div>
    ${checks.map(({ path, label, hint, check }) => html`<label class="check" for="${path}"><input type="checkbox" id="${path}" name="${path}" value="${check}"${chosen.has(path) ? html` checked` : ''} aria-describedby="${path}-hint" /><span>${label} <span class="hint" id="${path}-hint">${hint}</span></span></label>`)}`
}

function settingField(one: ShownSetting, value: string): Html {
  const { path, unit, range, usualText } = one
  const label = unit === undefined ? one.label : `${one.label} (${unit})`
  const described = html`aria-describedby="${path}-hint"`
  if (one.kind === 'choice') {
    const choices = Object.entries(one.choices ?? {}).map(([key, text]) => ({ value: key, text }))
    const all = [{ value: '', text: `Default: ${usualText}` }, ...choices]
    return field(path, {
      label,
      control: html`<select id="${path}" name="${path}" ${described}>${options(all, value)}</select>`,
      hint: one.hint,
    })
  }
  const times = one.isPercent ? 100 : 1
  const limits =
    range &&
    html`type="number" min="${range.min * times}" max="${range.max * times}" step="${range.isWhole || one.isPercent ? 1 : 'any'}"`
  return field(path, {
    label,
    control: html`<input id="${path}" name="${path}" ${limits ?? html`type="text"`} value="${value}" ${described} />`,
    hint: `${one.hint} Default: ${usualText}.`,
  })
}

// Forms that change which version answers: activate one, roll back to the one before. Both ask why.
import { html } from 'hono/html'
import type { Precision } from '../../src/package/schema.ts'
import type { Condition } from '../../src/registry/conditions/conditions.ts'
import type { Version } from '../../src/registry/versions/versions.ts'
import { field, type Html, icon } from '../shared/components.ts'
import { links } from '../shared/links.ts'
import { shortVersion, versionOptions } from '../shared/version-parts.ts'
import { precisionField } from '../versions/precision.ts'

/** What the person saw, sent back with every change: refused when it is another by then. */
export function expectedField({ active }: Condition): Html {
  return html`<input type="hidden" name="expected" value="${active?.activation ?? ''}" />`
}

/** htmx replaces the whole panel, as history, state and both forms change together. */
const SWAP = html`hx-target="#condition-panel" hx-swap="outerHTML" hx-disable="find button"`

/** One click is enough: the reason may be left empty, the history then says that it came from the page. */
export function rollbackForm(
  condition: Condition,
  {
    previous,
    precision,
  }: { readonly previous: Version | undefined; readonly precision?: Precision | undefined },
): Html {
  if (!previous) {
    return html`<section class="panel" aria-label="Roll back"><h2>Roll back</h2>
      <p class="hint">No earlier version to roll back to.</p></section>`
  }
  const action = links.rollback(condition.id)
  // A version with two graphs also names the one that was active.
  const name = `${shortVersion(previous.id)}${previous.int8 && precision ? ` in ${precision}` : ''}`
  return html`<section class="panel panel-rollback" aria-label="Roll back">
    <h2>Roll back</h2>
    <form class="stack" method="post" action="${action}" hx-post="${action}" ${SWAP}>
      ${expectedField(condition)}<input type="hidden" name="to" value="${previous.id}" />
      <p>Reverts to <a
        href="${links.version(previous.id)}">${name}</a> (previous). Requests in progress finish on the current version.</p>
      ${field('rollback-reason', {
        label: 'Reason',
        control: html`<input id="rollback-reason"
        name="reason" maxlength="500" placeholder="optional, kept in the history"
        autocomplete="off" />`,
      })}
      <button class="button button-primary"
        type="submit">${icon('undo')}Roll back to ${name}</button>
    </form>
  </section>`
}

export function activateForm(condition: Condition, versions: readonly Version[]): Html {
  const others = versions.filter(
    (one) => one.id !== condition.active?.version && one.status !== 'deleted',
  )
  if (others.length === 0) {
    return html`<section class="panel" aria-label="Activate"><h2>Activate a version</h2>
      <p class="hint">No other version for this condition.</p></section>`
  }
  const action = links.activate(condition.id)
  return html`<section class="panel" aria-label="Activate">
    <h2>Activate a version</h2>
    <form class="stack" method="post" action="${action}" hx-post="${action}" ${SWAP}>
      ${expectedField(condition)}
      ${field('activate-version', {
        label: 'Version',
        control: html`<select id="activate-version"
        name="version"
        required>${versionOptions([{ condition, versions: others }], { chosen: others[0]?.id })}</select>`,
      })}
      ${precisionField('activate', others)}
      ${reasonFields('activate')}
      <button class="button" type="submit">Activate</button>
    </form>
  </section>`
}

/** The form on a version's own page, without a list; sends back there. */
export function activateThisForm(version: Version, condition: Condition): Html {
  return html`<form class="stack" method="post" action="${links.activate(version.condition)}">
    <input type="hidden" name="version" value="${version.id}" />
    <input type="hidden" name="back" value="model" />
    ${expectedField(condition)}
    ${precisionField('activate', [version])}
    ${reasonFields('activate')}
    <button class="button button-primary" type="submit">Activate</button>
  </form>`
}

/** For the active version, when it has a second graph: same gate, different precision. */
export function changePrecisionForm(version: Version, condition: Condition): Html | undefined {
  if (!version.int8) return undefined
  return html`<form class="stack" method="post" action="${links.activate(version.condition)}">
    <input type="hidden" name="version" value="${version.id}" />
    <input type="hidden" name="back" value="model" />
    ${expectedField(condition)}
    ${field('change-precision', {
      label: 'Precision',
      control: html`<select id="change-precision" name="precision">
        <option value="int8">int8</option><option value="float32">float32</option></select>`,
    })}
    ${reasonFields('change')}
    <button class="button" type="submit">Change precision</button>
  </form>`
}

function reasonFields(prefix: string): Html {
  return html`${field(`${prefix}-reason`, {
    label: 'Reason',
    control: html`<input
    id="${prefix}-reason" name="reason" maxlength="500" required autocomplete="off" />`,
  })}
    <label class="check" for="${prefix}-force"><input type="checkbox" id="${prefix}-force"
      name="force" />
      <span>Override the performance gate (integrity checks still run)</span></label>`
}

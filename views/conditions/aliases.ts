// Names that point at versions of a condition: which there are, and a form that moves one.
import { html } from 'hono/html'
import type { Condition } from '../../src/registry/conditions/conditions.ts'
import type { Alias } from '../../src/registry/versions/aliases.ts'
import type { Version } from '../../src/registry/versions/versions.ts'
import { field, type Html } from '../shared/components.ts'
import { links } from '../shared/links.ts'
import { versionLink, versionOptions } from '../shared/version-parts.ts'

export interface AliasProps {
  readonly condition: Condition
  readonly versions: readonly Version[]
  readonly aliases?: readonly Alias[] | undefined
}

const SWAP = html`hx-target="#condition-panel" hx-swap="outerHTML" hx-disable="find button"`

export function aliasPanel({ condition, versions, aliases = [] }: AliasProps): Html {
  const action = links.aliases(condition.id)
  const verified = versions.filter((one) => one.status === 'verified')
  return html`<details class="panel stack"${aliases.length > 0 ? html` open` : ''}>
    <summary><h2>Aliases</h2></summary>
    <p class="hint">A name for a version, such as champion: <code>${condition.id}@champion</code> can be used wherever a version is expected. Only verified versions can have an alias.</p>
    ${
      aliases.length > 0 &&
      html`<ul class="plain">${aliases.map(
        (one) => html`<li><form class="inline" method="post" action="${action}"
        hx-post="${action}" ${SWAP}><code>${condition.id}@${one.alias}</code> → ${versionLink(one.version)}
        <input type="hidden" name="alias" value="${one.alias}" />
        <button class="button button-small button-quiet" type="submit" name="remove"
          value="1">Remove ${one.alias}</button></form></li>`,
      )}</ul>`
    }
    ${
      verified.length === 0
        ? html`<p class="hint">No verified version available.</p>`
        : html`<form class="stack" method="post" action="${action}" hx-post="${action}" ${SWAP}>
      ${field('alias', {
        label: 'Alias',
        control: html`<input id="alias" name="alias" required pattern="[A-Za-z][A-Za-z0-9._\\-]{0,31}"
        placeholder="champion" autocomplete="off" />`,
      })}
      ${field('alias-version', {
        label: 'Version',
        control: html`<select id="alias-version" name="version" required>${versionOptions(
          [{ condition, versions: verified }],
          { chosen: condition.active?.version ?? verified[0]?.id },
        )}</select>`,
      })}
      ${field('alias-reason', {
        label: 'Why',
        control: html`<input id="alias-reason" name="reason" maxlength="500"
        placeholder="kept in the history" autocomplete="off" />`,
      })}
      <button class="button" type="submit">Set alias</button>
    </form>`
    }
  </details>`
}

/** On a version's own page. */
export function aliasWords(version: Version): string | undefined {
  if (version.aliases.length === 0) return undefined
  return version.aliases.map((alias) => `${version.condition}@${alias}`).join(', ')
}

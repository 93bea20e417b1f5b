// All conditions with the version that answers for each, and the form that adds one.
import { html } from 'hono/html'
import { badge, field, type Html, hash, options, time } from '../shared/components.ts'
import { type ProblemProps, problemNotice } from '../shared/error.ts'
import { count } from '../shared/format.ts'
import { type Frame, page } from '../shared/layout.ts'
import { links } from '../shared/links.ts'
import {
  activeBadge,
  type ConditionChoice,
  shortVersion,
  versionNotice,
} from '../shared/version-parts.ts'

export interface ConditionListProps {
  readonly frame: Frame
  readonly choices: readonly ConditionChoice[]
  readonly problem?: ProblemProps | undefined
}

export function conditionListPage({ frame, choices, problem }: ConditionListProps): Html {
  return page(
    frame,
    { title: 'Conditions', width: 'wide' },
    html`<header class="heading"><h1>Conditions</h1>
      <p>Each condition has one active version. Open a condition to activate another version or roll back.</p></header>
    ${problem && problemNotice(problem)}
    <ul class="card-grid">${choices.map(card)}</ul>
    ${newConditionForm()}`,
  )
}

function card({ condition, versions }: ConditionChoice): Html {
  const { active } = condition
  const version = versions.find((one) => one.id === active?.version)
  return html`<li class="card">
    <h2><a href="${links.condition(condition.id)}">${condition.name}</a></h2>
    <p class="hint">${condition.bodyPart} · ${count(versions.length, 'version')} · ${condition.policy}</p>
    ${
      active
        ? html`<p class="active-version"><a
          href="${links.version(active.version)}">${shortVersion(active.version)}</a> ${activeBadge(active.state)}</p>
          <p class="hint">since ${time(active.since)} · ${hash(active.sha256)}</p>`
        : html`<p>${badge('no active version', 'warn', 'warning')}</p>`
    }
    ${versionNotice(version?.notice)}
  </li>`
}

function newConditionForm(): Html {
  const kinds = [
    { value: 'binary', text: 'binary: one finding, present or absent' },
    { value: 'single-label', text: 'single-label: exactly one of several classes' },
    { value: 'multi-label', text: 'multi-label: any number of findings' },
  ]
  return html`<details class="panel">
    <summary><h2>Add a condition</h2></summary>
    <form class="stack" method="post" action="${links.conditions}">
      ${field('id', {
        label: 'Id',
        control: html`<input id="id" name="id" required
        pattern="[A-Za-z0-9][A-Za-z0-9._\\-]{0,63}" autocomplete="off"
        aria-describedby="id-hint" />`,
        hint: 'Letters, digits, dots, dashes. Cannot be changed later.',
      })}
      ${field('name', {
        label: 'Name',
        control: html`<input id="name" name="name" required
        maxlength="100" autocomplete="off" />`,
      })}
      ${field('bodyPart', {
        label: 'Body part',
        control: html`<input id="bodyPart" name="bodyPart"
        maxlength="100" autocomplete="off" />`,
      })}
      ${field('kind', {
        label: 'Kind',
        control: html`<select id="kind"
        name="kind">${options(kinds, 'binary')}</select>`,
      })}
      ${field('classes', {
        label: 'Classes',
        control: html`<textarea id="classes" name="classes"
        rows="4" required aria-describedby="classes-hint"
        placeholder="NORMAL\n*FRACTURE"></textarea>`,
        hint: 'One label per line, in the order of the model’s outputs. Mark positive findings with *.',
      })}
      <button class="button" type="submit">Add</button>
    </form>
  </details>`
}

// The challenger of a condition: set one, see what it has shown beside the active version, promote it or end it.
import { html } from 'hono/html'
import type { ChallengerEvidence } from '../../src/registry/challenger/challenger-evidence.ts'
import type { PromotionRule } from '../../src/registry/challenger/promotion-rule.ts'
import type { Condition } from '../../src/registry/conditions/conditions.ts'
import type { Version } from '../../src/registry/versions/versions.ts'
import { badge, facts, field, type Html, notice, options, time } from '../shared/components.ts'
import { percent } from '../shared/format.ts'
import { links } from '../shared/links.ts'
import { shortVersion, versionLink, versionOptions } from '../shared/version-parts.ts'
import { expectedField } from './activate-form.ts'
import { type PromotionRuleProps, promotionRule } from './promotion-rule.ts'

export interface ChallengerProps {
  readonly condition: Condition
  readonly versions: readonly Version[]
  readonly evidence?: (ChallengerEvidence & Evaluated) | undefined
  /** By which a challenger is promoted; with a challenger it comes with the evidence. */
  readonly rule?: PromotionRule | undefined
}

interface Evaluated {
  readonly rule?: PromotionRuleProps['rule']
}

const SWAP = html`hx-target="#condition-panel" hx-swap="outerHTML" hx-disable="find button"`
const MODES = [
  { value: 'shadow', text: 'Shadow: runs silently, result not shown' },
  { value: 'split', text: 'A/B split: serves a share of requests' },
]
const SHOWN = 10

export function challengerPanel(props: ChallengerProps): Html | undefined {
  const { condition, evidence } = props
  if (!condition.active) return undefined
  return html`<section class="panel" aria-label="Challenger">
    <h2>Challenger</h2>
    ${condition.challenger ? running(props) : beginForm(props)}
    ${evidence && evidenceOf(evidence)}
    ${promotionRule({ conditionId: condition.id, rule: evidence?.rule ?? props.rule ?? null })}
  </section>`
}

function running({ condition }: ChallengerProps): Html {
  const challenger = condition.challenger
  if (!challenger) return html``
  const action = links.challenger(condition.id)
  const how =
    challenger.mode === 'shadow'
      ? 'runs silently'
      : `serves ${percent(challenger.share ?? 0)} of requests`
  return html`<p>${versionLink(challenger.version)} ${badge(challenger.mode)} ${how}.</p>
    <div class="button-row">
      <form method="post" action="${links.activate(condition.id)}"
        hx-post="${links.activate(condition.id)}" ${SWAP}>
        ${expectedField(condition)}
        <input type="hidden" name="version" value="${challenger.version}" />
        <input type="hidden" name="reason" value="the challenger is promoted" />
        <button class="button" type="submit">Promote</button>
      </form>
      <form method="post" action="${action}" hx-post="${action}" ${SWAP}>
        ${expectedField(condition)}
        <button class="button button-quiet" type="submit" name="end" value="1">End</button>
      </form>
    </div>`
}

function beginForm({ condition, versions }: ChallengerProps): Html {
  const others = versions.filter(
    (one) => one.id !== condition.active?.version && one.status === 'verified',
  )
  if (others.length === 0) {
    return html`<p class="hint">No other verified version is available as challenger.</p>`
  }
  const action = links.challenger(condition.id)
  return html`<form class="stack" method="post" action="${action}" hx-post="${action}" ${SWAP}>
    ${expectedField(condition)}
    ${field('challenger-version', {
      label: 'Version',
      control: html`<select id="challenger-version" name="version"
      required>${versionOptions([{ condition, versions: others }], { chosen: others[0]?.id })}</select>`,
    })}
    ${field('challenger-mode', {
      label: 'Mode',
      control: html`<select id="challenger-mode" name="mode">${options(MODES, 'shadow')}</select>`,
    })}
    ${field('challenger-share', {
      label: 'Traffic share for a split (0 to 1)',
      control: html`<input id="challenger-share" name="share" type="number" min="0.01" max="1"
      step="0.01" value="0.1" />`,
    })}
    <button class="button" type="submit">Start challenger</button>
  </form>`
}

function evidenceOf(evidence: ChallengerEvidence): Html {
  const { pairs, truth, challenge } = evidence
  const none = pairs === 0 && challenge.mode === 'shadow'
  return html`<h3>Evaluation since ${time(challenge.startedAt)}</h3>
    ${none && notice('No image analysed by both versions yet.')}
    ${
      pairs > 0 &&
      facts([
        ['Images analysed by both', pairs],
        ['Same decision', orUnknown(evidence.agreement, percent)],
        ['Cohen’s kappa', orUnknown(evidence.kappa, (value) => value.toFixed(3))],
        [
          'Mean difference in probability',
          orUnknown(evidence.meanGap, (value) => value.toFixed(3)),
        ],
        ['Images with reader feedback', truth.n],
        [
          'Correct: active, challenger',
          truth.n > 0 ? `${truth.activeRight}, ${truth.challengerRight}` : undefined,
        ],
        ['McNemar', truth.n > 0 ? mcnemarText(evidence) : undefined],
      ])
    }
    ${evidence.arms && armTable(evidence.arms)}
    ${evidence.disagreements.length > 0 && disagreements(evidence)}`
}

function orUnknown(value: number | null, text: (value: number) => string): string {
  return value === null ? 'not enough data' : text(value)
}

function mcnemarText({ truth }: ChallengerEvidence): string {
  const { b, c, p, midP, method } = truth.mcnemar
  const kind =
    method === 'exact' ? `exact p ${p.toFixed(3)}, mid-p ${midP?.toFixed(3)}` : `p ${p.toFixed(3)}`
  return `${b} only the active version correct, ${c} only the challenger correct; ${kind}`
}

function armTable(arms: NonNullable<ChallengerEvidence['arms']>): Html {
  return html`<div class="table-wrap" tabindex="0" role="region" aria-label="Answers of both"><table
    class="table">
    <thead><tr><th scope="col">Version</th><th scope="col" class="number">Predictions</th>
      <th scope="col" class="number">Agreed</th><th scope="col" class="number">Disagreed</th>
      <th scope="col" class="number">Unsure</th></tr></thead>
    <tbody>${arms.map(
      (arm) => html`<tr><th scope="row">${shortVersion(arm.version)} ${badge(arm.role)}</th>
      <td class="number">${arm.predictions}</td><td class="number">${arm.agree}</td>
      <td class="number">${arm.disagree}</td><td class="number">${arm.unsure}</td></tr>`,
    )}</tbody></table></div>`
}

function disagreements({ disagreements: found, disagreementCount }: ChallengerEvidence): Html {
  return html`<details>
    <summary>${disagreementCount} with different predictions</summary>
    <ul class="plain">${found.slice(0, SHOWN).map(
      (one) =>
        html`<li><a href="${links.prediction(one.prediction)}">${time(one.at)}</a>: active
        ${one.activeLabel}, challenger ${one.challengerLabel}
        <span class="hint">${one.label} ${one.activeP.toFixed(3)} and ${one.challengerP.toFixed(3)}${
          one.truth && html`; reader: ${one.truth}`
        }</span></li>`,
    )}</ul>
  </details>`
}

// The rule by which a challenger is promoted without a person: what it is, what it says of the evidence, and its form.
import { html } from 'hono/html'
import type { PromotionRule, RuleVerdict } from '../../src/registry/challenger/promotion-rule.ts'
import { field, type Html, time } from '../shared/components.ts'
import { links } from '../shared/links.ts'

export interface PromotionRuleProps {
  readonly conditionId: string
  readonly rule: (PromotionRule & Partial<RuleVerdict>) | null
}

const SWAP = html`hx-target="#condition-panel" hx-swap="outerHTML" hx-disable="find button"`

export function promotionRule({ conditionId, rule }: PromotionRuleProps): Html {
  const action = links.promotionRule(conditionId)
  return html`<details class="stack"${rule ? html` open` : ''}>
    <summary>Auto-promotion${rule ? '' : ': off'}</summary>
    ${
      rule &&
      html`<p>After ${rule.minCases} cases with reader feedback, if the challenger is non-inferior to the active version within a margin of ${rule.margin} (lower bound of the 95% interval of the difference in accuracy). All gate checks still apply.</p>
      ${rule.detail && html`<p class="hint">Now: ${rule.detail}.</p>`}
      <p class="hint">Set ${time(rule.at)} by ${rule.by}: ${rule.reason}</p>`
    }
    <form class="stack" method="post" action="${action}" hx-post="${action}" ${SWAP}>
      ${field('rule-cases', {
        label: 'Minimum cases',
        control: html`<input id="rule-cases" name="minCases" type="number" min="1" step="1"
        value="${rule?.minCases ?? 200}" required />`,
      })}
      ${field('rule-margin', {
        label: 'Non-inferiority margin (0 to 1)',
        control: html`<input id="rule-margin" name="margin" type="number" min="0" max="1" step="any"
        value="${rule?.margin ?? 0.03}" required />`,
      })}
      ${field('rule-reason', {
        label: 'Reason',
        control: html`<input id="rule-reason" name="reason" maxlength="500" required
        autocomplete="off" />`,
      })}
      <div class="button-row"><button class="button" type="submit">Save rule</button>
      ${rule && html`<button class="button button-quiet" type="submit" name="off" value="1">Turn off</button>`}</div>
    </form>
  </details>`
}

// The result for an image in three separate parts: the decision, calibrated probabilities, raw scores.
import { html } from 'hono/html'
import type { Prediction } from '../../src/registry/predictions/predictions.ts'
import { type Html, icon } from '../shared/components.ts'
import { fraction, operatingPointName, percent, probability, score } from '../shared/format.ts'

type Score = Prediction['classes'][number]

/** The decision, and the rule behind it. */
export function decisionBlock(prediction: Prediction): Html {
  const { decision } = prediction
  const tone = decision.positive ? 'positive' : 'negative'
  return html`<div class="decision decision-${tone}">
    <h3 class="eyebrow">Decision</h3>
    <p class="decision-label">${icon(tone)}<span>${decision.label}</span></p>
    <p class="decision-state">${decision.positive ? 'Positive finding' : 'No positive finding'}</p>
    <p class="hint">Operating point <strong>${operatingPointName(decision.operatingPoint)}</strong>${
      decision.threshold === null
        ? ': the most probable class'
        : html`, threshold <strong>${percent(decision.threshold)}</strong>`
    }</p>
  </div>`
}

function thresholdOf(prediction: Prediction, label: string): number | null {
  return prediction.decision.findings.find((one) => one.label === label)?.threshold ?? null
}

/** Bars on a common 0..100% axis; the threshold is a mark across its bar and a word below it. */
export function probabilityBars(prediction: Prediction): Html {
  const classes = prediction.classes.toSorted((a, b) => b.probability - a.probability)
  return html`<div class="probabilities">
    <h3>${prediction.calibration ? 'Calibrated probability' : 'Score (not calibrated)'}</h3>
    <ul class="bars">${classes.map((one) => bar(one, prediction))}</ul>
    <p class="hint">${calibrationWords(prediction)}</p>
  </div>`
}

function bar(one: Score, prediction: Prediction): Html {
  const { label, positive } = prediction.decision
  const threshold = thresholdOf(prediction, one.label)
  const reached = threshold !== null && one.probability >= threshold
  const stands = threshold === null ? positive && one.label === label : reached
  return html`<li class="${stands ? 'bar bar-reached' : 'bar'}">
    <span class="bar-label">${one.label}</span>
    <span class="bar-value">${probability(one.probability)}</span>
    <svg class="bar-track" width="100%" height="12" aria-hidden="true" focusable="false">
      <rect class="bar-ground" width="100%" height="6" y="3" rx="3" />
      <rect class="bar-fill" width="${(one.probability * 100).toFixed(2)}%" height="6" y="3"
        rx="3" />
      ${
        threshold !== null &&
        html`<rect class="bar-threshold" x="${(threshold * 100).toFixed(2)}%"
        width="2" height="12" />`
      }
    </svg>
    ${
      threshold !== null &&
      html`<span class="bar-note">${reached ? 'at or above' : 'below'} the threshold of ${percent(threshold)}</span>`
    }
  </li>`
}

function calibrationWords({ calibration }: Prediction): Html {
  if (!calibration) {
    return html`<strong>Not calibrated:</strong> this version has no calibration, so these are raw scores.`
  }
  return html`Temperature scaling, T = ${score(calibration.temperature)}. Expected calibration error
    ${fraction(calibration.eceBefore)} before, ${fraction(calibration.eceAfter)} after.`
}

/** Raw scores: network output before calibration. Collapsed so that nobody mistakes them for probabilities. */
export function rawScores(prediction: Prediction): Html {
  return html`<details class="raw-scores">
    <summary><h3>Raw scores</h3></summary>
    <p class="hint">Network output before calibration. Not a probability of disease.</p>
    <table class="table">
      <thead><tr><th scope="col">Class</th><th scope="col" class="number">Raw score</th>
      <th scope="col" class="number">Logit</th></tr></thead>
      <tbody>${prediction.classes.map(
        (one) =>
          html`<tr><th scope="row">${one.label}</th>
            <td class="number">${score(one.uncalibrated)}</td>
            <td class="number">${score(one.logit)}</td></tr>`,
      )}</tbody>
    </table>
  </details>`
}

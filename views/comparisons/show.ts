// What two versions say about the same image: agreement, both films at one scale, the difference, a table of deltas.
import { html } from 'hono/html'
import type { Condition } from '../../src/registry/conditions/conditions.ts'
import type { Prediction } from '../../src/registry/predictions/predictions.ts'
import type { Version } from '../../src/registry/versions/versions.ts'
import { decisionBlock, probabilityBars } from '../predictions/readout.ts'
import { badge, type Html, hash, icon } from '../shared/components.ts'
import {
  milliseconds,
  operatingPointName,
  percent,
  points,
  probability,
  score,
} from '../shared/format.ts'
import { links } from '../shared/links.ts'
import { shortVersion, versionLink, versionNotice } from '../shared/version-parts.ts'
import {
  films,
  type HeatmapProps,
  heatmapLegend,
  OVERLAY,
  type ViewerProps,
} from '../shared/viewer.ts'

export interface Comparison {
  readonly a: Prediction
  readonly b: Prediction
  /** Both predict the same label. */
  readonly agree: boolean
  /** label: calibrated probability of B minus that of A */
  readonly deltas: Readonly<Record<string, number>>
  readonly condition: Condition | undefined
  readonly versionA: Version | undefined
  readonly versionB: Version | undefined
  readonly imageAvailable: boolean
  /** Value of each map that is to be drawn in full colour, so that the same evidence has the same colour in both. */
  readonly scaleA?: number | null | undefined
  readonly scaleB?: number | null | undefined
  /** Why the two heatmaps cannot be compared, if so. */
  readonly note?: string | null | undefined
}

/** Fragment `.comparison`, shown in `#result`. */
export function compareResult(comparison: Comparison): Html {
  const { a, b } = comparison
  return html`<article class="comparison" aria-label="Comparison">
    ${verdict(comparison)}
    ${films([film(comparison, 'a'), film(comparison, 'b')], { controlsId: 'compare-controls', extra: difference(comparison) })}
    ${sharedNotice(comparison)}
    <div class="comparison-sides">${side(comparison, 'a')}${side(comparison, 'b')}</div>
    ${deltaTable(comparison)}
    <p class="button-row">
      <a class="button"
        href="${links.compare({ left: b.id, right: a.id })}">${icon('swap')}Swap A and B</a>
      <a class="button"
        href="${links.compare({ condition: a.condition, a: a.version, b: b.version })}">Another image</a>
    </p>
    <p class="research-note">Research use only. Not a medical device. Clinical judgement required.</p>
  </article>`
}

function noticeOf(prediction: Prediction, version: Version | undefined): string | null {
  return prediction.notice ?? version?.notice ?? null
}

/** The notice of both packages, once, when they carry the same. */
function sharedNotice({ a, b, versionA, versionB }: Comparison): Html | undefined {
  const text = noticeOf(a, versionA)
  return text === noticeOf(b, versionB) ? versionNotice(text) : undefined
}

function verdict({ a, b, agree }: Comparison): Html {
  return html`<div class="verdict verdict-${agree ? 'agree' : 'disagree'}" role="status">
    ${icon(agree ? 'check' : 'warning')}
    <p>${
      agree
        ? html`Both predict <strong>${a.decision.label}</strong>.`
        : html`Disagreement: A predicts <strong>${a.decision.label}</strong>, B predicts <strong>${b.decision.label}</strong>.`
    }</p>
  </div>`
}

/** The heatmap of one side, drawn at the scale that both share. */
function heatmapOf(comparison: Comparison, which: 'a' | 'b'): HeatmapProps | null {
  const { heatmap } = comparison[which]
  const scale = which === 'a' ? comparison.scaleA : comparison.scaleB
  if (!heatmap || !scale || scale === heatmap.scale) return heatmap
  return { ...heatmap, url: links.heatmapAtScale(heatmap.url, scale), scale }
}

function film(comparison: Comparison, which: 'a' | 'b'): ViewerProps {
  const { condition, imageAvailable } = comparison
  const prediction = comparison[which]
  const name = which.toUpperCase()
  return {
    id: `film-${which}`,
    imageUrl: imageAvailable ? links.predictionImage(prediction.id) : undefined,
    width: prediction.image.width,
    height: prediction.image.height,
    description: `The image as version ${name} analysed it, for ${condition?.name ?? prediction.condition}`,
    heatmap: heatmapOf(comparison, which),
    caption: html`<span class="side-name">${name}</span> ${shortVersion(prediction.version)}`,
  }
}

/** Drawn by difference.js from the two overlays; both are on an absolute scale, so they may be subtracted. */
function difference({ a, b, imageAvailable, note }: Comparison): Html | undefined {
  if (note) return html`<p class="hint">${note}</p>`
  if (!a.heatmap || !b.heatmap || !imageAvailable) return undefined
  return html`<details class="difference needs-script" data-difference
    data-max-alpha="${OVERLAY.maxAlpha}" data-alpha-power="${OVERLAY.power}">
    <summary>Where the heatmaps differ</summary>
    <div class="difference-view"><img class="film-image" src="${links.predictionImage(a.id)}"
      width="${a.image.width}" height="${a.image.height}" alt="The same image, dimmed"
      loading="lazy" />
      <canvas data-difference-canvas role="img"
        aria-label="Difference of the two heatmaps"></canvas></div>
    <p class="difference-key"><span class="key key-a">more evidence in A</span> <span
      class="key key-b">more evidence in B</span></p>
    <p class="hint" data-difference-words></p>
  </details>`
}

function side(comparison: Comparison, which: 'a' | 'b'): Html {
  const prediction = which === 'a' ? comparison.a : comparison.b
  const version = which === 'a' ? comparison.versionA : comparison.versionB
  const heatmap = heatmapOf(comparison, which)
  return html`<section class="side" aria-label="Version ${which.toUpperCase()}">
    <h2><span class="side-name">${which.toUpperCase()}</span> ${versionLink(prediction.version)}</h2>
    <p class="hint">${hash(prediction.sha256)} ${badge(prediction.role)} analysed in ${milliseconds(prediction.timings.total)}</p>
    ${sharedNotice(comparison) ? undefined : versionNotice(noticeOf(prediction, version))}
    ${decisionBlock(prediction)}
    ${probabilityBars(prediction)}
    ${heatmap && heatmapLegend(heatmap, { id: `legend-${which}`, isShared: comparison.scaleA != null })}
    <p><a href="${links.prediction(prediction.id)}">Open this result</a></p>
  </section>`
}

/** What the numbers of both are: a version without calibration gives scores only. */
function scale(a: Prediction, b: Prediction): string {
  if (a.calibration && b.calibration) return 'Calibrated probability'
  if (!a.calibration && !b.calibration) return 'Score (not calibrated)'
  return `Probability (${a.calibration ? 'B' : 'A'} not calibrated)`
}

function deltaTable({ a, b, deltas }: Comparison): Html {
  const rows = a.classes.map(({ label }) => ({
    label,
    before: a.classes.find((one) => one.label === label),
    after: b.classes.find((one) => one.label === label),
    delta: deltas[label] ?? 0,
  }))
  rows.sort((one, two) => Math.abs(two.delta) - Math.abs(one.delta))
  return html`<section class="deltas" aria-label="Differences">
    <h2>Where they differ</h2>
    <div class="table-wrap" tabindex="0" role="region" aria-label="Table of differences"><table
      class="table">
      <thead>
        <tr><th scope="col" rowspan="2">Class</th><th scope="colgroup"
          colspan="3">${scale(a, b)}</th><th scope="colgroup"
          colspan="2">Raw score</th></tr>
        <tr><th scope="col" class="number">A</th><th scope="col" class="number">B</th>
        <th scope="col" class="number">B − A</th><th scope="col" class="number">A</th>
        <th scope="col" class="number">B</th></tr>
      </thead>
      <tbody>${rows.map(
        ({ label, before, after, delta }) => html`<tr>
          <th scope="row">${label}</th>
          <td class="number">${probability(before?.probability)}</td>
          <td class="number">${probability(after?.probability)}</td>
          <td class="number delta">${deltaBar(delta)}${points(delta)}</td>
          <td class="number">${score(before?.uncalibrated)}</td>
          <td class="number">${score(after?.uncalibrated)}</td>
        </tr>`,
      )}</tbody>
    </table></div>
    <p class="hint">Operating points: A ${operatingPointName(a.decision.operatingPoint)}, threshold ${percent(a.decision.threshold)};
      B ${operatingPointName(b.decision.operatingPoint)}, threshold ${percent(b.decision.threshold)}.</p>
  </section>`
}

/** From the middle to the left where A is more sure, to the right where B is. */
function deltaBar(delta: number): Html {
  const half = Math.min(Math.abs(delta), 1) * 50
  const x = delta < 0 ? 50 - half : 50
  return html`<svg class="delta-bar" viewBox="0 0 100 10" preserveAspectRatio="none"
    aria-hidden="true" focusable="false"><rect class="bar-ground" width="100" height="10" /><rect
    class="${delta < 0 ? 'delta-a' : 'delta-b'}" x="${x.toFixed(2)}" width="${half.toFixed(2)}"
    height="10" /><rect class="delta-middle" x="49.5" width="1" height="10" /></svg>`
}

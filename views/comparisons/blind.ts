// A blinded reading: the image alone, then two readings without names, then everything and how such votes went before.
import { html } from 'hono/html'
import type { Condition } from '../../src/registry/conditions/conditions.ts'
import type {
  BlindReading,
  BlindTally,
  Preference,
} from '../../src/registry/paired/blind-readings.ts'
import type { Prediction } from '../../src/registry/predictions/predictions.ts'
import { decisionBlock, probabilityBars } from '../predictions/readout.ts'
import { facts, type Html } from '../shared/components.ts'
import { type ProblemProps, problemNotice } from '../shared/error.ts'
import { type Frame, page } from '../shared/layout.ts'
import { links } from '../shared/links.ts'
import { shortVersion, versionLink } from '../shared/version-parts.ts'
import { films } from '../shared/viewer.ts'
import { type Comparison, compareResult } from './show.ts'

export interface BlindPageProps {
  readonly frame: Frame
  readonly reading: BlindReading
  readonly condition: Condition
  /** In the order in which they are shown, which says nothing of which is which. */
  readonly sides: readonly [Prediction, Prediction]
  readonly imageAvailable: boolean
  /** Once voted. */
  readonly revealed?:
    | { readonly comparison: Comparison; readonly tally: BlindTally | undefined }
    | undefined
  readonly problem?: ProblemProps | undefined
}

const NAMES = ['One', 'Two'] as const

export function blindPage(props: BlindPageProps): Html {
  const { frame, reading, problem } = props
  return page(
    frame,
    { title: 'Blinded comparison', width: 'wide' },
    html`<header class="heading"><h1>Blinded comparison</h1><p>${WORDS[reading.state]}</p></header>
    ${problem && problemNotice(problem)}
    ${reading.state === 'unread' ? ownReading(props) : reading.state === 'read' ? nameless(props) : revealed(props)}`,
  )
}

const WORDS = {
  unread:
    'First record your own diagnosis. The two predictions are shown next; version names only after you vote.',
  read: 'Two versions analysed the same image, shown in random order. Which result is better?',
  voted: 'Your vote has been saved.',
} as const

function ownReading({ reading, condition, sides, imageAvailable }: BlindPageProps): Html {
  const [{ id, image }] = sides
  const film = {
    id: 'film-blind',
    imageUrl: imageAvailable ? links.predictionImage(id) : undefined,
    width: image.width,
    height: image.height,
    description: `The image to diagnose, for ${condition.name}`,
    heatmap: null,
  }
  return html`<div class="desk desk-stacked">
    <div class="desk-stage">${films([film], { controlsId: 'blind-controls' })}</div>
    <form class="stack" method="post" action="${links.blindStep(reading.id, 'read')}">
      <fieldset><legend>What do you see?</legend>
        <div class="button-row">
          ${condition.classes.map(({ label }) => html`<button class="button" type="submit" name="label" value="${label}">${label}</button>`)}
          <button class="button button-quiet" type="submit" name="unsure" value="1">Unsure</button>
        </div></fieldset>
    </form>
  </div>`
}

function nameless({ reading, sides, imageAvailable, condition }: BlindPageProps): Html {
  const film = (which: 0 | 1) => {
    const { id, image, heatmap } = sides[which]
    return {
      id: `film-${NAMES[which].toLowerCase()}`,
      imageUrl: imageAvailable ? links.predictionImage(id) : undefined,
      width: image.width,
      height: image.height,
      description: `The image with heatmap of result ${NAMES[which]} for ${condition.name}`,
      heatmap,
      caption: html`<strong>${NAMES[which]}</strong>`,
    }
  }
  const side = (
    which: 0 | 1,
  ): Html => html`<section class="side" aria-label="Reading ${NAMES[which]}">
    <h2>${NAMES[which]}</h2>${decisionBlock(sides[which])}${probabilityBars(sides[which])}</section>`
  const first = reading.isSwapped ? 'b' : 'a'
  const second = reading.isSwapped ? 'a' : 'b'
  const choices: readonly (readonly [Preference, string])[] = [
    [first, 'One is better'],
    [second, 'Two is better'],
    ['alike', 'Both are good'],
    ['neither', 'Neither is good'],
  ]
  return html`<article class="comparison" aria-label="Two readings">
    <p>Your diagnosis: <strong>${reading.label ?? 'unsure'}</strong>.</p>
    ${films([film(0), film(1)], { controlsId: 'blind-controls' })}
    <div class="comparison-sides">${side(0)}${side(1)}</div>
    <form method="post" action="${links.blindStep(reading.id, 'vote')}">
      <fieldset><legend>Which result is better?</legend><div class="button-row">${choices.map(
        ([value, text]) =>
          html`<button class="button" type="submit" name="preference" value="${value}">${text}</button>`,
      )}</div></fieldset>
    </form>
  </article>`
}

function revealed({ reading, revealed: shown }: BlindPageProps): Html {
  if (!shown) return html``
  const choice = {
    a: html`${versionLink(reading.a.version)} is better`,
    b: html`${versionLink(reading.b.version)} is better`,
    alike: 'both are good',
    neither: 'neither is good',
  }[reading.preference ?? 'neither']
  return html`<div class="stack blind-vote"><p>You saw <strong>${reading.label ?? 'not sure'}</strong> and diagnosed: ${choice}.</p>
    ${shown.tally && tallyFacts(shown.tally)}
    <p class="button-row"><a class="button" href="${links.compare({
      condition: reading.condition,
      a: reading.a.version,
      b: reading.b.version,
      blind: 'on',
    })}">Another image, blinded</a>
      <a class="button button-quiet" href="${links.blindTallies(reading.condition)}">All votes</a></p></div>
    ${compareResult(shown.comparison)}`
}

/** How the votes on one pair of versions went. */
export function tallyFacts(tally: BlindTally): Html {
  const { preferred, mcnemar } = tally
  const [a, b] = [shortVersion(tally.a), shortVersion(tally.b)]
  return html`<section class="panel" aria-label="Votes on ${a} and ${b}"><h2>Votes on ${a} and ${b}</h2>
    ${facts([
      ['Votes', tally.votes],
      [`${a} better`, preferred.a],
      [`${b} better`, preferred.b],
      ['Both good', preferred.alike],
      ['Neither', preferred.neither],
      [
        'Matches the reader’s diagnosis',
        tally.sure === 0
          ? undefined
          : `${a} ${tally.aRight}, ${b} ${tally.bRight} of ${tally.sure}`,
      ],
      [
        'McNemar',
        tally.sure === 0
          ? undefined
          : `${mcnemar.b} only ${a}, ${mcnemar.c} only ${b}; p ${mcnemar.p.toFixed(3)}`,
      ],
    ])}</section>`
}

export function blindTallyPage({
  frame,
  condition,
  tallies,
}: {
  readonly frame: Frame
  readonly condition: Condition
  readonly tallies: readonly BlindTally[]
}): Html {
  return page(
    frame,
    { title: `Blinded votes, ${condition.name}`, width: 'text' },
    html`<header class="heading"><h1>Blinded votes</h1>
      <p>${condition.name}: readers' votes with version names hidden. <a
        href="${links.compare({ condition: condition.id, blind: 'on' })}">Start a blinded comparison</a></p></header>
    ${tallies.length === 0 ? html`<p class="hint">No votes yet.</p>` : tallies.map(tallyFacts)}`,
  )
}

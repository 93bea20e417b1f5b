// The film: an image with its heatmap above it, and the controls of one or several films that move together.
// Heatmap and inversion work without a script (the style sheet asks the checkboxes); viewer.js adds the rest.
import { html } from 'hono/html'
import { badge, type Html } from './components.ts'
import { methodName } from './explanations.ts'

export interface ViewerProps {
  /** Unique on the page; prefix of ids. */
  readonly id: string
  /** Undefined once the image has expired or was deleted. */
  readonly imageUrl: string | undefined
  readonly width: number
  readonly height: number
  /** What the image is, for those who do not see it. */
  readonly description: string
  readonly heatmap: HeatmapProps | null
  readonly caption?: unknown
}

export interface HeatmapProps {
  readonly url: string
  readonly method: string
  readonly layer: string | null
  readonly target: string
  /** Value of the map that is drawn in full colour; null when unknown. */
  readonly scale?: number | null | undefined
  readonly weak?: boolean | undefined
}

/** Films side by side that share one set of controls. `extra` is shown below the controls. */
export function films(
  list: readonly ViewerProps[],
  { controlsId, extra }: { controlsId: string; extra?: unknown },
): Html {
  const hasHeatmap = list.some((film) => film.heatmap !== null && film.imageUrl !== undefined)
  return html`<div class="films films-${list.length}" data-films>
    <div class="film-row">${list.map(film)}</div>
    ${viewerControls(controlsId, hasHeatmap)}
    ${extra}
  </div>`
}

function film(props: ViewerProps): Html {
  return html`<figure class="film" id="${props.id}" data-film>
    ${props.caption && html`<figcaption class="film-caption">${props.caption}</figcaption>`}
    ${props.imageUrl === undefined ? expired() : view(props, props.imageUrl)}
  </figure>`
}

function expired(): Html {
  return html`<p
    class="film-gone">The image is no longer stored. The result below is unchanged.</p>`
}

function view(props: ViewerProps, imageUrl: string): Html {
  const { width, height, heatmap } = props
  return html`<div class="film-view" data-film-view>
    <div class="film-stack" data-film-stack>
      <img class="film-image" src="${imageUrl}" width="${width}" height="${height}"
        alt="${props.description}" data-film-image />
      ${
        heatmap &&
        html`<img class="film-heat" src="${heatmap.url}" width="${width}" height="${height}"
          alt="${methodName(heatmap.method)} heatmap for ${heatmap.target}, drawn over the image"
          data-film-heat />`
      }
    </div>
    ${heatmap?.weak && html`<p class="film-note">Weak evidence</p>`}
  </div>`
}

function viewerControls(id: string, hasHeatmap: boolean): Html {
  return html`<div class="film-controls" data-film-controls role="group"
    aria-label="Image controls">
    ${
      hasHeatmap &&
      html`<label class="toggle" for="${id}-heat"><input type="checkbox" id="${id}-heat" checked
        data-film-heat-toggle />Heatmap <kbd class="needs-script">H</kbd></label>
      <label class="slider needs-script" for="${id}-opacity">Opacity
        <input type="range" id="${id}-opacity" min="0" max="100" value="80" step="5"
          data-film-opacity />
        <output for="${id}-opacity" data-film-opacity-value>80%</output>
      </label>`
    }
    <label class="toggle" for="${id}-invert"><input type="checkbox" id="${id}-invert"
      data-film-invert-toggle />Invert <kbd class="needs-script">I</kbd></label>
    <span class="zoom needs-script" role="group" aria-label="Zoom">
      <button type="button" class="button button-small" data-film-zoom="out"
        aria-label="Zoom out">−</button>
      <output data-film-zoom-value>100%</output>
      <button type="button" class="button button-small" data-film-zoom="in"
        aria-label="Zoom in">+</button>
      <button type="button" class="button button-small" data-film-zoom="fit">Fit</button>
    </span>
    <details class="window-controls needs-script">
      <summary>Brightness and contrast</summary>
      <label class="slider" for="${id}-brightness">Brightness <input type="range"
        id="${id}-brightness" min="30" max="250" value="100" data-film-brightness /></label>
      <label class="slider" for="${id}-contrast">Contrast <input type="range" id="${id}-contrast"
        min="30" max="300" value="100" data-film-contrast /></label>
      <button type="button" class="button button-small" data-film-reset>Reset</button>
      <p class="hint">Display only; the model always uses the original pixels.</p>
    </details>
  </div>`
}

/** Where the map comes from and what its colours mean: an absolute scale, the same for every image of a version. */
export function heatmapLegend(
  heatmap: HeatmapProps,
  { id, isShared = false }: { id: string; isShared?: boolean },
): Html {
  return html`<div class="legend">
    <p class="legend-title">Heatmap: evidence for <strong>${heatmap.target}</strong>
      ${heatmap.weak && badge('weak evidence', 'warn', 'warning')}</p>
    <svg class="legend-scale" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true"
      focusable="false">
      <defs><linearGradient id="${id}-gradient">${LEGEND_STOPS.map(
        ([evidence, colour]) =>
          html`<stop offset="${evidence}" stop-color="${colour}"
            stop-opacity="${overlayOpacity(evidence).toFixed(3)}" />`,
      )}</linearGradient></defs>
      <rect width="100" height="6" fill="url(#${id}-gradient)" />
    </svg>
    <p class="legend-ends"><span>weak</span><span>${'strong'}</span></p>
    <p class="hint">${methodName(heatmap.method)}${heatmap.layer && html`, layer <code>${heatmap.layer}</code>`}. ${
      isShared
        ? 'Shared scale: the same colour means the same evidence in both maps.'
        : 'Fixed scale: colours are comparable between images.'
    } </p>
    ${
      heatmap.weak &&
      html`<p class="hint">No region stands out for ${heatmap.target}; do not use this map to localise.</p>`
    }
  </div>`
}

/** How opaque the overlay is, of 255: `maxAlpha * evidence ** power` (a test compares it with the drawn pixels). */
export const OVERLAY = { maxAlpha: 210, power: 0.8 } as const

/** The overlay's colours at even steps from no to full evidence. */
export const LEGEND_STOPS: readonly (readonly [evidence: number, colour: string])[] = [
  [0, '#280b54'],
  [0.25, '#65156e'],
  [0.5, '#bb3754'],
  [0.75, '#f98e09'],
  [1, '#fcffa4'],
]

/** 0..1 */
export function overlayOpacity(evidence: number): number {
  return (OVERLAY.maxAlpha * evidence ** OVERLAY.power) / 255
}

// Small parts that every page is made of. Knows no domain type and no address.
import { html } from 'hono/html'
import { bytes, shortHash, timestamp } from './format.ts'

/** What a view returns: escaped HTML for `c.html()`. Never a promise in practice, as no view awaits. */
export type Html = ReturnType<typeof html>

export type Tone = 'neutral' | 'good' | 'warn' | 'bad' | 'accent'

const SHAPES = {
  positive: html`<path d="M8 2 14.5 13.5h-13z" />`,
  negative: html`<circle cx="8" cy="8" r="5.2" class="hollow" />`,
  check: html`<path d="m3 8.5 3.2 3.2L13 5" class="stroke" />`,
  cross: html`<path d="m4 4 8 8m0-8-8 8" class="stroke" />`,
  warning: html`<path d="M8 1.8 15 14H1z" class="hollow" /><path d="M8 6v3.6m0 1.6v.4"
    class="stroke" />`,
  undo: html`<path d="M5.5 3 2.5 6l3 3M3 6h6.2a3.6 3.6 0 0 1 0 7.2H6" class="stroke" />`,
  swap: html`<path d="M4.5 3 2 5.5 4.5 8M2 5.5h11M11.5 8 14 10.5 11.5 13M14 10.5H3"
    class="stroke" />`,
  theme: html`<circle cx="8" cy="8" r="5.6" class="hollow" /><path
    d="M8 2.4a5.6 5.6 0 0 1 0 11.2z" />`,
  clock: html`<circle cx="8" cy="8" r="5.8" class="hollow" /><path d="M8 4.8V8l2.2 1.6"
    class="stroke" />`,
} as const

export type IconName = keyof typeof SHAPES

/** Decoration only: the words beside it carry the meaning. */
export function icon(name: IconName): Html {
  return html`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true"
    focusable="false">${SHAPES[name]}</svg>`
}

export function badge(text: string, tone: Tone = 'neutral', sign?: IconName): Html {
  return html`<span class="badge badge-${tone}">${sign && icon(sign)}${text}</span>`
}

/** A box that says something important. `live` announces it to screen readers when it appears. */
export function notice(content: unknown, options: { tone?: Tone; live?: boolean } = {}): Html {
  const { tone = 'neutral', live = false } = options
  const sign: IconName = tone === 'good' ? 'check' : 'warning'
  return live
    ? html`<div class="notice notice-${tone}" role="alert">${icon(sign)}<div>${content}</div></div>`
    : html`<div class="notice notice-${tone}">${icon(sign)}<div>${content}</div></div>`
}

/** Name and value pairs; a pair whose value is undefined is left out. */
export function facts(pairs: readonly (readonly [string, unknown])[]): Html {
  const shown = pairs.filter(([, value]) => value !== undefined)
  return html`<dl class="facts">
    ${shown.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}
  </dl>`
}

/** A digest: the first twelve digits to see, the whole to select, copy and hear. */
export function hash(digest: string): Html {
  return html`<code class="hash" title="${digest}"><span
    aria-hidden="true">${shortHash(digest)}…</span><span
    class="visually-hidden">${digest}</span></code>`
}

export function time(iso: string): Html {
  return html`<time datetime="${iso}">${timestamp(iso)}</time>`
}

export function size(count: number | null | undefined): string {
  return bytes(count)
}

export interface Choice {
  readonly value: string
  readonly text: string
}

export function options(choices: readonly Choice[], chosen: string | undefined): Html[] {
  return choices.map(({ value, text }) =>
    value === chosen
      ? html`<option value="${value}" selected>${text}</option>`
      : html`<option value="${value}">${text}</option>`,
  )
}

/** A labelled control. `control` carries the id that the label names. */
export function field(
  id: string,
  { label, control, hint }: { label: string; control: unknown; hint?: unknown },
): Html {
  return html`<div class="field">
    <label for="${id}">${label}</label>
    ${control}
    ${hint && html`<p class="hint" id="${id}-hint">${hint}</p>`}
  </div>`
}

/** What a list says when it has nothing. */
export function emptyState(title: string, content: unknown): Html {
  return html`<div class="empty"><h2>${title}</h2><p>${content}</p></div>`
}

export function nextPage(href: string | undefined, text = 'Older'): Html | undefined {
  if (href === undefined) return undefined
  return html`<nav class="pager" aria-label="More"><a class="button" rel="next"
    href="${href}">${text}</a></nav>`
}

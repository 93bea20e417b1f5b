// The frame of every page: head, navigation, the notice of the day, footer. Pages bring title and content.
import { html } from 'hono/html'
import { type Html, icon } from './components.ts'
import { links } from './links.ts'

export interface Frame {
  /** Path of the request, to mark where one is. */
  readonly path: string
  /** Version of the product; stamps the addresses of scripts and styles so that they may be cached for ever. */
  readonly product: string
  /** Shown on top of every page, e.g. that demonstration models answer. */
  readonly notice?: string | undefined
}

const STYLES = [
  'app.css',
  'frame.css',
  'controls.css',
  'desk.css',
  'reading.css',
  'viewer.css',
  'compare.css',
  'registry.css',
  'history.css',
  'training.css',
  'plots.css',
]
const SCRIPTS = ['forms.js', 'upload.js', 'viewer.js', 'difference.js', 'run.js']

/** `also`: pages of that place whose addresses begin otherwise. */
const PLACES: readonly { readonly text: string; readonly href: string; readonly also?: string }[] =
  [
    { text: 'Diagnose', href: links.diagnose(), also: links.batches },
    { text: 'Compare', href: links.compare(), also: links.ab() },
    { text: 'Predictions', href: links.predictions() },
    { text: 'Models', href: links.models() },
    { text: 'Conditions', href: links.conditions },
    { text: 'Datasets', href: links.datasets },
    { text: 'Training', href: links.training() },
    { text: 'Status', href: links.status },
  ]

const HTMX_CONFIG = JSON.stringify({
  includeIndicatorCSS: false,
  history: 'reload',
  defaultTimeout: 120_000,
})

interface PageOptions {
  readonly title: string
  /** `wide` uses the whole window, for films; `text` keeps lines short. */
  readonly width?: 'wide' | 'text'
}

/** A whole document around `content`. */
export function page(frame: Frame, { title, width = 'text' }: PageOptions, content: unknown): Html {
  return html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="dark light" />
    <meta name="robots" content="noindex" />
    <meta name="htmx-config" content="${HTMX_CONFIG}" />
    <title>${title} · Roentgen</title>
    <link rel="icon" href="${links.asset('favicon.svg', frame.product)}" type="image/svg+xml" />
    ${STYLES.map(
      (file) => html`<link rel="stylesheet"
      href="${links.asset(file, frame.product)}" />`,
    )}
    <script src="${links.asset('theme.js', frame.product)}"></script>
    <script src="${links.asset('vendor/htmx-4.0.1.min.js', frame.product)}" defer></script>
    ${SCRIPTS.map(
      (file) => html`<script src="${links.asset(file, frame.product)}"
      type="module"></script>`,
    )}
  </head>
  <body>
    <a class="skip" href="#main">Skip to content</a>
    ${topBar(frame)}
    ${
      frame.notice &&
      html`<aside class="banner"
      aria-label="Notice">${icon('warning')}<p>${frame.notice}</p></aside>`
    }
    <main id="main" class="main main-${width}" tabindex="-1">${content}</main>
    ${footer(frame)}
  </body>
</html>`
}

function topBar(frame: Frame): Html {
  return html`<header class="topbar">
    <a class="brand" href="/"><svg class="mark" viewBox="0 0 24 24" aria-hidden="true"
      focusable="false"><rect x="2.5" y="2.5" width="19" height="19" rx="4" /><path
      d="M12 6v12M8 8.5c2.5-1.2 5.5-1.2 8 0M7.2 12c3-1.3 6.6-1.3 9.6 0M8 15.5c2.5-1.1 5.5-1.1 8 0" /></svg>Roentgen</a>
    <nav class="places" aria-label="Pages">
      ${PLACES.map(({ text, href, also }) =>
        isHere(frame.path, href) || (also && isHere(frame.path, also))
          ? html`<a href="${href}" aria-current="page">${text}</a>`
          : html`<a href="${href}">${text}</a>`,
      )}
    </nav>
    <button class="theme-button needs-script" type="button" data-theme-button>
      ${icon('theme')}<span class="visually-hidden">Theme: </span><span
        data-theme-name>auto</span>
    </button>
  </header>`
}

function isHere(path: string, href: string): boolean {
  return href === '/' ? path === '/' : path === href || path.startsWith(`${href}/`)
}

function footer(frame: Frame): Html {
  return html`<footer class="footer">
    <p><strong>Research use only. Not a medical device.</strong> Nothing leaves this machine.</p>
    <p><a href="${links.apiDocs}">API</a> · Roentgen ${frame.product}</p>
  </footer>`
}

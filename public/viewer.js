// The film under the eye: opacity, heatmap and inversion by key, brightness, contrast, zoom and pan. All films of a
// group move together, so that two readings of one image are always looked at in the same place.

const MAX_ZOOM = 8
const STEP = 1.25

/** group element -> { zoom, x, y }: shift of the stack as a fraction of the view's size, from -(zoom - 1) to 0 */
const places = new WeakMap()

function place(group) {
  if (!places.has(group)) places.set(group, { zoom: 1, x: 0, y: 0 })
  return places.get(group)
}

function clamp(value, low, high) {
  return Math.min(high, Math.max(low, value))
}

function moveTo(group, { zoom, x, y }) {
  const next = { zoom: clamp(zoom, 1, MAX_ZOOM), x: 0, y: 0 }
  next.x = clamp(x, 1 - next.zoom, 0)
  next.y = clamp(y, 1 - next.zoom, 0)
  places.set(group, next)
  for (const view of group.querySelectorAll('[data-film-view]')) {
    view.classList.toggle('zoomed', next.zoom > 1)
    const stack = view.querySelector('[data-film-stack]')
    stack.style.transform = `translate(${next.x * 100}%, ${next.y * 100}%) scale(${next.zoom})`
  }
  const words = group.querySelector('[data-film-zoom-value]')
  if (words) words.textContent = `${Math.round(next.zoom * 100)}%`
}

/** Zooms so that the point (fractions of the view) stays where it is. */
function zoomAt(group, factor, point = { x: 0.5, y: 0.5 }) {
  const { zoom, x, y } = place(group)
  const next = clamp(zoom * factor, 1, MAX_ZOOM)
  const ratio = next / zoom
  moveTo(group, {
    zoom: next,
    x: point.x - (point.x - x) * ratio,
    y: point.y - (point.y - y) * ratio,
  })
}

function setOpacity(group, percent) {
  const slider = group.querySelector('[data-film-opacity]')
  if (!slider) return
  slider.value = clamp(percent, 0, 100)
  for (const heat of group.querySelectorAll('[data-film-heat]')) {
    heat.style.opacity = slider.value / 100
  }
  group.querySelector('[data-film-opacity-value]').textContent = `${slider.value}%`
}

function setWindow(group) {
  const brightness = group.querySelector('[data-film-brightness]')
  const contrast = group.querySelector('[data-film-contrast]')
  const plain = brightness.value === '100' && contrast.value === '100'
  const filter = `brightness(${brightness.value}%) contrast(${contrast.value}%)`
  if (plain) group.style.removeProperty('--film-filter')
  else group.style.setProperty('--film-filter', filter)
}

function groupOf(element) {
  return element.closest?.('[data-films]')
}

document.addEventListener('input', ({ target }) => {
  const group = groupOf(target)
  if (!group) return
  if (target.matches('[data-film-opacity]')) setOpacity(group, Number(target.value))
  if (target.matches('[data-film-brightness], [data-film-contrast]')) setWindow(group)
})

document.addEventListener('click', ({ target }) => {
  const group = groupOf(target)
  if (!group) return
  const zoom = target.closest('[data-film-zoom]')?.dataset.filmZoom
  if (zoom === 'in') zoomAt(group, STEP)
  if (zoom === 'out') zoomAt(group, 1 / STEP)
  if (zoom === 'fit') moveTo(group, { zoom: 1, x: 0, y: 0 })
  if (target.closest('[data-film-reset]')) {
    for (const slider of group.querySelectorAll('[data-film-brightness], [data-film-contrast]')) {
      slider.value = 100
    }
    setWindow(group)
  }
})

/** Where the pointer is in a view, as fractions of its size. */
function pointIn(view, event) {
  const box = view.getBoundingClientRect()
  return { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height }
}

document.addEventListener(
  'wheel',
  (event) => {
    const view = event.target.closest?.('[data-film-view]')
    // A plain wheel scrolls the page, as everywhere; with Ctrl (or a pinch) it zooms the film.
    if (!view || !event.ctrlKey) return
    event.preventDefault()
    zoomAt(groupOf(view), event.deltaY < 0 ? STEP : 1 / STEP, pointIn(view, event))
  },
  { passive: false },
)

document.addEventListener('dblclick', (event) => {
  const view = event.target.closest?.('[data-film-view]')
  if (view) zoomAt(groupOf(view), event.shiftKey ? 0.5 : 2, pointIn(view, event))
})

document.addEventListener('pointerdown', (event) => {
  const view = event.target.closest?.('[data-film-view]')
  const group = view && groupOf(view)
  if (!group || event.button !== 0 || place(group).zoom === 1) return
  event.preventDefault()
  const from = pointIn(view, event)
  const start = { ...place(group) }
  const move = (next) => {
    const to = pointIn(view, next)
    moveTo(group, { zoom: start.zoom, x: start.x + to.x - from.x, y: start.y + to.y - from.y })
  }
  view.setPointerCapture(event.pointerId)
  view.addEventListener('pointermove', move)
  const end = () => view.removeEventListener('pointermove', move)
  view.addEventListener('pointerup', end, { once: true })
  view.addEventListener('pointercancel', end, { once: true })
})

function flip(group, selector) {
  const box = group.querySelector(selector)
  if (!box) return
  box.checked = !box.checked
  box.dispatchEvent(new Event('change', { bubbles: true }))
}

const KEYS = {
  h: (group) => flip(group, '[data-film-heat-toggle]'),
  i: (group) => flip(group, '[data-film-invert-toggle]'),
  '[': (group) => setOpacity(group, Number(group.querySelector('[data-film-opacity]')?.value) - 10),
  ']': (group) => setOpacity(group, Number(group.querySelector('[data-film-opacity]')?.value) + 10),
  '+': (group) => zoomAt(group, STEP),
  '-': (group) => zoomAt(group, 1 / STEP),
  0: (group) => moveTo(group, { zoom: 1, x: 0, y: 0 }),
}

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return
  if (event.target.matches?.('input:not([type=checkbox]), textarea, select')) return
  const group = document.querySelector('[data-films]')
  const action = KEYS[event.key.toLowerCase()]
  if (!group || !action) return
  event.preventDefault()
  action(group)
})

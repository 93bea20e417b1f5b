// A training run as it happens: between two renderings of its panel the bar and its words follow each batch; when more
// has changed the panel is asked for again, at most once a second. The stream goes on by itself after a lost connection.
const PANEL = '[data-run-events]'
const AGAIN_MS = 1000

let source
let wanted = 0

function refresh() {
  if (wanted !== 0) return
  wanted = window.setTimeout(() => {
    wanted = 0
    document.querySelector(PANEL)?.dispatchEvent(new CustomEvent('run-changed'))
  }, AGAIN_MS)
}

function minutes(seconds) {
  const whole = Math.max(0, Math.round(seconds))
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`
}

const FIGURES = {
  loss: (value) => value.toPrecision(3),
  accuracy: (value) => value.toFixed(3),
  learningRate: (value) => value.toExponential(1),
  imagesPerSecond: (value) => String(value),
  cpuCores: (value) => value.toFixed(1),
  memoryBytes: (value) => `${Math.round(value / 2 ** 20)} MiB`,
}

function showFigures(batch) {
  for (const [name, words] of Object.entries(FIGURES)) {
    const place = document.querySelector(`${PANEL} [data-run-figure="${name}"]`)
    if (place && typeof batch[name] === 'number') place.textContent = words(batch[name])
  }
}

function follow(event) {
  showFigures({ ...event, cpuCores: event.use?.cpuCores })
  const { epoch, epochs, batch, batches, etaSeconds } = event
  const bar = document.querySelector(`${PANEL} [data-run-bar]`)
  const words = document.querySelector(`${PANEL} [data-run-words]`)
  if (!bar || !words) return
  bar.value = Math.min(1, (epoch - 1 + batch / batches) / epochs)
  const rest = etaSeconds === null ? '' : `, about ${minutes(etaSeconds)} left`
  words.textContent = `epoch ${epoch} of ${epochs}, batch ${batch} of ${batches}${rest}`
}

function watch() {
  const panel = document.querySelector(PANEL)
  if (!panel || source) return
  source = new EventSource(panel.dataset.runEvents)
  source.addEventListener('batch', (event) => follow(JSON.parse(event.data)))
  for (const name of ['state', 'epoch', 'log']) source.addEventListener(name, refresh)
}

watch()

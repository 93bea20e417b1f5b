// Where two heatmaps differ. Both overlays are on one absolute scale, and their opacity is a known function of the
// evidence, so the evidence can be read back from the pixels and subtracted.

const SIDE = 512
const COLOUR_A = [240, 140, 60]
const COLOUR_B = [70, 166, 255]

/** Evidence 0..1 of each pixel, on a common raster; opacity is maxAlpha * evidence ** power, as the page says. */
function evidence(image, { width, height, maxAlpha, power }) {
  const canvas = document.createElement('canvas')
  canvas.width = width
  canvas.height = height
  const context = canvas.getContext('2d', { willReadFrequently: true })
  context.drawImage(image, 0, 0, width, height)
  const { data } = context.getImageData(0, 0, width, height)
  const values = new Float32Array(width * height)
  for (let i = 0; i < values.length; i++) values[i] = (data[i * 4 + 3] / maxAlpha) ** (1 / power)
  return values
}

function draw(box, [imageA, imageB]) {
  const shrink = SIDE / Math.max(imageA.naturalWidth, imageA.naturalHeight)
  const width = Math.max(1, Math.round(imageA.naturalWidth * shrink))
  const height = Math.max(1, Math.round(imageA.naturalHeight * shrink))
  const maxAlpha = Number(box.dataset.maxAlpha)
  const power = Number(box.dataset.alphaPower)
  const a = evidence(imageA, { width, height, maxAlpha, power })
  const b = evidence(imageB, { width, height, maxAlpha, power })
  const canvas = box.querySelector('[data-difference-canvas]')
  canvas.width = width
  canvas.height = height
  const context = canvas.getContext('2d')
  const output = context.createImageData(width, height)
  let largest = 0
  for (let i = 0; i < a.length; i++) {
    const delta = b[i] - a[i]
    const colour = delta < 0 ? COLOUR_A : COLOUR_B
    output.data.set([...colour, Math.round(maxAlpha * Math.abs(delta) ** power)], i * 4)
    largest = Math.max(largest, Math.abs(delta))
  }
  context.putImageData(output, 0, 0)
  const words = `Largest difference: ${Math.round(largest * 100)}% of the common scale.`
  box.querySelector('[data-difference-words]').textContent = words
}

async function show(box) {
  const images = [...box.closest('[data-films]').querySelectorAll('[data-film-heat]')]
  if (images.length !== 2) return
  try {
    await Promise.all(images.map((image) => image.decode()))
    draw(box, images)
  } catch {
    box.querySelector('[data-difference-words]').textContent =
      'The heatmaps could not be loaded; reload the page.'
  }
}

// `toggle` does not bubble, so it is caught on its way down.
document.addEventListener(
  'toggle',
  ({ target }) => {
    if (target.matches?.('[data-difference][open]')) show(target)
  },
  true,
)

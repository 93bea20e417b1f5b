// A dermatoscopic photograph: skin, one pigmented lesion, hair, gel bubbles, dark corners. All seven kinds share one law of
// size and colour; what tells them apart is the structure in skin-patterns.ts.
import { type Canvas, type Plane, stroke } from './canvas.ts'
import { at, clamp, curve, displaced, ellipse, type Shape, smoothstep } from './geometry.ts'
import { createNoise, octaves } from './noise.ts'
import type { Random } from './random.ts'
import type { Scene } from './scene.ts'
import { borderOf, createPattern } from './skin-patterns.ts'

export interface Photograph {
  /** Red, green and blue, 0..1. */
  readonly rgb: readonly [Plane, Plane, Plane]
  readonly finding: Plane
}

/** How much each unit of pigment, blood and grey-blue depth darkens red, green and blue (natural logarithm). */
const MELANIN = [0.55, 0.95, 1.25] as const
const BLOOD = [0.12, 1.0, 0.75] as const
const DEPTH = [0.95, 0.7, 0.3] as const

export function drawSkin(scene: Scene): Photograph {
  const { canvas, image, patient } = scene
  const tone = skinTone(patient.fork('tone'))
  const random = image.fork('lesion')
  const outline = lesionOutline(random, scene.label)
  const pattern = createPattern(scene.label, random.fork('pattern'), outline.centre)
  const base = { melanin: random.between(0.25, 0.75), blood: random.between(0.1, 0.55) }
  const relief = octaves(createNoise(patient.fork('relief')), 3)
  const mottle = octaves(createNoise(image.fork('mottle')), 2)
  const light = {
    x: image.fork('light').normal(0, 0.08),
    gain: image.fork('gain').between(0.82, 1.08),
  }
  const pattern2 = pattern.draw ? pattern.draw(canvas) : undefined

  const rgb = [canvas.plane(), canvas.plane(), canvas.plane()] as const
  const finding = canvas.plane()
  canvas.visit(null, (i, x, y) => {
    const d = outline.shape.distance(x, y)
    const inside = 1 - smoothstep(-outline.softness, outline.softness * 0.4, d)
    const look = pattern.at(x, y, Math.min(1.2, 1 + d / outline.radius))
    const lines = pattern2 ? (pattern2[i] as number) : 0
    const uneven = 0.1 * mottle(x * 2.5, y * 2.5)
    const melanin = Math.max(0, inside * (base.melanin + look.melanin) + uneven)
    const blood = Math.max(0, inside * (base.blood + look.blood + lines * 1.1) + uneven)
    const depth = inside * look.depth
    const white = inside * look.white
    const shade = light.gain + light.x * x + 0.05 * relief(x * 9, y * 9)
    for (let channel = 0; channel < 3; channel++) {
      const absorbed =
        melanin * (MELANIN[channel] as number) +
        blood * (BLOOD[channel] as number) +
        depth * (DEPTH[channel] as number)
      const reflected = (tone[channel] as number) * Math.exp(-absorbed)
      const plane = rgb[channel] as Plane
      plane[i] = shade * (reflected + white * (0.92 - reflected))
    }
    if (inside > 0.5) finding[i] = 1
  })
  addHair(canvas, rgb, image.fork('hair'))
  addCorners(canvas, rgb, image.fork('corners'))
  addSensorNoise(rgb, image.fork('sensor'))
  return { rgb, finding }
}

function skinTone(random: Random): readonly [number, number, number] {
  const depth = random.between(0, 0.35)
  const flush = random.between(0, 0.25)
  return [0.95 - 0.5 * depth, 0.8 - 0.75 * depth - 0.2 * flush, 0.72 - 0.8 * depth - 0.15 * flush]
}

function lesionOutline(random: Random, label: string) {
  const centre = at(random.normal(0, 0.12), random.normal(0, 0.12))
  const radius = random.between(0.36, 0.62)
  const border = borderOf(label, random.fork('border'))
  const edge = octaves(createNoise(random.fork('edge')), 2)
  const round: Shape = ellipse(
    centre,
    radius * random.between(0.85, 1.15),
    radius,
    random.between(0, 3),
  )
  const shape = displaced(round, {
    reach: 0.25,
    offset: (x, y) => border.wobble * edge(x * border.pitch, y * border.pitch),
  })
  return { centre, radius, shape, softness: border.softness }
}

/** Dark or fair hairs lying over everything, in every class. */
function addHair(canvas: Canvas, rgb: readonly Plane[], random: Random): void {
  if (!random.chance(0.5)) return
  const layer = canvas.plane()
  const lie = random.between(0, Math.PI)
  const count = random.integer(3, 14)
  for (let i = 0; i < count; i++) {
    const angle = lie + random.normal(0, 0.35)
    const middle = at(random.between(-1, 1), random.between(-1, 1))
    const reach = random.between(0.3, 1.1)
    const [dx, dy] = [Math.cos(angle) * reach, Math.sin(angle) * reach]
    const bend = random.normal(0, 0.15)
    const knots = [
      at(middle.x - dx, middle.y - dy),
      at(middle.x - dy * bend, middle.y + dx * bend),
      at(middle.x + dx, middle.y + dy),
    ]
    stroke(canvas, layer, {
      points: curve(knots, { steps: 8 }),
      from: random.between(0.004, 0.009),
      amount: 0.85,
    })
  }
  const colour = random.chance(0.75) ? [0.13, 0.09, 0.07] : [0.78, 0.66, 0.5]
  rgb.forEach((plane, channel) => {
    for (let i = 0; i < plane.length; i++) {
      plane[i] =
        (plane[i] as number) +
        (layer[i] as number) * ((colour[channel] as number) - (plane[i] as number))
    }
  })
}

/** The dark ring of the dermatoscope's tube. */
function addCorners(canvas: Canvas, rgb: readonly Plane[], random: Random): void {
  if (!random.chance(0.35)) return
  const { x: cx, y: cy } = at(random.normal(0, 0.05), random.normal(0, 0.05))
  const radius = random.between(1, 1.25)
  const { size } = canvas
  for (let i = 0; i < size * size; i++) {
    const u = ((i % size) / size) * 2 - 1 - cx
    const v = (Math.floor(i / size) / size) * 2 - 1 - cy
    const open = 1 - smoothstep(radius - 0.06, radius + 0.04, Math.hypot(u, v))
    for (const plane of rgb) plane[i] = (plane[i] as number) * (0.05 + 0.95 * open)
  }
}

function addSensorNoise(rgb: readonly Plane[], random: Random): void {
  const strength = random.between(0.01, 0.025)
  for (const plane of rgb) {
    for (let i = 0; i < plane.length; i++) {
      const noise = random.uniform() + random.uniform() - 1
      plane[i] = clamp((plane[i] as number) + 2 * strength * noise, 0, 1)
    }
  }
}

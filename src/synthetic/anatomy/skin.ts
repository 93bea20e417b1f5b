// A dermatoscopic photograph: skin, one pigmented lesion, hair, gel bubbles, dark corners. All seven kinds share one law of
// size and colour; what tells them apart is the structure in skin-patterns.ts.
import { type Canvas, type Plane, stroke } from '../drawing/canvas.ts'
import {
  at,
  clamp,
  curve,
  displaced,
  ellipse,
  type Point,
  type Shape,
  smoothstep,
} from '../drawing/geometry.ts'
import { createNoise, octaves } from '../drawing/noise.ts'
import type { Random } from '../drawing/random.ts'
import type { Scene } from '../scene.ts'
import { borderOf, mixedPattern } from './skin-patterns.ts'

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
  const layers = lesionLayers(canvas, outline, { label: scene.label, random })
  const relief = octaves(createNoise(patient.fork('relief')), 3)
  const mottle = octaves(createNoise(image.fork('mottle')), 2)
  const tilt = image.fork('light').normal(0, 0.08)
  const gain = image.fork('gain').between(0.82, 1.08)

  const rgb = [canvas.plane(), canvas.plane(), canvas.plane()] as const
  const finding = canvas.plane()
  canvas.visit(null, (i, x, y) => {
    const uneven = 0.1 * mottle(x * 2.5, y * 2.5)
    const melanin = Math.max(0, (layers.melanin[i] as number) + uneven)
    const blood = Math.max(0, (layers.blood[i] as number) + uneven)
    const depth = layers.depth[i] as number
    const white = layers.white[i] as number
    const shade = gain + tilt * x + 0.05 * relief(x * 9, y * 9)
    for (let channel = 0; channel < 3; channel++) {
      const absorbed =
        melanin * (MELANIN[channel] as number) +
        blood * (BLOOD[channel] as number) +
        depth * (DEPTH[channel] as number)
      const reflected = (tone[channel] as number) * Math.exp(-absorbed)
      const plane = rgb[channel] as Plane
      plane[i] = shade * (reflected + white * (0.92 - reflected))
    }
    finding[i] = layers.inside[i] as number
  })
  addHair(canvas, rgb, image.fork('hair'))
  addCorners(canvas, rgb, image.fork('corners'))
  addSensorNoise(rgb, image.fork('sensor'))
  return { rgb, finding }
}

/**
 * Pigment, blood, depth and white over the lesion. The structure is centred to have no mean of its own and is laid over a
 * colour drawn from one law for all seven, so that the average colour says little about the kind.
 */
function lesionLayers(
  canvas: Canvas,
  outline: Outline,
  options: { readonly label: string; readonly random: Random },
) {
  const { label, random } = options
  const pattern = mixedPattern(label, random.fork('pattern'), outline.centre)
  const vessels = pattern.vessels(canvas)
  const inside = canvas.plane()
  const layers = {
    melanin: canvas.plane(),
    blood: canvas.plane(),
    depth: canvas.plane(),
    white: canvas.plane(),
  }
  const names = ['melanin', 'blood', 'depth', 'white'] as const
  const sums = { melanin: 0, blood: 0, depth: 0, white: 0 }
  let area = 0
  canvas.visit(null, (i, x, y) => {
    const d = outline.shape.distance(x, y)
    const share = 1 - smoothstep(-outline.softness, outline.softness * 0.4, d)
    inside[i] = share
    if (share === 0) return
    const look = pattern.at(x, y, radial(outline, d))
    layers.melanin[i] = look.melanin
    layers.blood[i] = look.blood + 1.1 * (vessels[i] as number)
    layers.depth[i] = look.depth
    layers.white[i] = look.white
    area += share
    for (const name of names) sums[name] += share * (layers[name][i] as number)
  })
  const mean = (name: (typeof names)[number]) => sums[name] / Math.max(1, area)
  // White brightens as pigment darkens: what it adds on average is taken back as pigment.
  const melanin =
    random.between(0.35, 0.85) - mean('melanin') + 1.1 * mean('white') - 0.8 * mean('depth')
  const blood = random.between(0.1, 0.5) - mean('blood')
  const clearing = random.normal(0, 0.3)
  canvas.visit(null, (i, x, y) => {
    const share = inside[i] as number
    const centre = clearing * (0.6 - radial(outline, outline.shape.distance(x, y)))
    layers.melanin[i] = share * ((layers.melanin[i] as number) + melanin + centre)
    layers.blood[i] = share * ((layers.blood[i] as number) + blood)
    layers.depth[i] = share * (layers.depth[i] as number)
    layers.white[i] = share * (layers.white[i] as number)
  })
  return { ...layers, inside }
}

interface Outline {
  readonly centre: Point
  readonly radius: number
  readonly shape: Shape
  readonly softness: number
}

/** 0 at the centre of the lesion, 1 at its border. */
function radial(outline: Outline, distance: number): number {
  return clamp(1 + distance / outline.radius, 0, 1.2)
}

function skinTone(random: Random): readonly [number, number, number] {
  const depth = random.between(0, 0.35)
  const flush = random.between(0, 0.25)
  return [0.95 - 0.5 * depth, 0.8 - 0.75 * depth - 0.2 * flush, 0.72 - 0.8 * depth - 0.15 * flush]
}

function lesionOutline(random: Random, label: string): Outline {
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

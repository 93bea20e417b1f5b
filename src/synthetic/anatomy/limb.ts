// A long bone or a pair of them (forearm, lower leg, upper arm) with or without a fracture: a dark jagged line with a
// step and a bend. Growth plates, nutrient canals and the edges of a splint cross bones without being fractures.

import { add, type Canvas, type Plane, stroke } from '../drawing/canvas.ts'
import { at, clamp, curve, mix, polygon, type Shape, smoothstep } from '../drawing/geometry.ts'
import { createNoise, type Noise } from '../drawing/noise.ts'
import type { Random } from '../drawing/random.ts'
import type { Radiograph, Scene } from '../scene.ts'
import { type BoneLook, bone } from './bone.ts'

interface LimbBone {
  readonly x: number
  /** Half width of the shaft and of the flared end. */
  readonly shaft: number
  readonly end: number
  readonly bow: number
}

interface Fracture {
  readonly x: number
  readonly y: number
  /** dy/dx of the line across the bone. */
  readonly slope: number
  readonly jag: Noise
  readonly width: number
  readonly step: number
  readonly bend: number
}

export function drawLimb(scene: Scene): Radiograph {
  const { canvas, image, patient } = scene
  const bones = chooseBones(patient.fork('limb'))
  const look = boneLook(patient.fork('look'))
  const tipAt = patient.fork('tip').between(0.6, 1.1)
  const child = patient.fork('age').chance(0.45)
  const attenuation = softTissue(canvas, image.fork('soft'))
  const finding = canvas.plane()
  const injury = image.fork('fracture')
  const broken = scene.label === 'FRACTURE' ? injury.integer(0, bones.length - 1) : -1

  bones.forEach((one, index) => {
    const shape = outline(one, tipAt)
    const fracture = index === broken ? drawFracture(one, injury) : undefined
    const layer = canvas.plane()
    bone(canvas, layer, {
      shape: fracture ? displacedBeyond(shape, fracture) : shape,
      look: { ...look, radius: one.shaft },
      random: patient.fork('trabeculae', index),
    })
    if (child)
      addGrowthPlate(canvas, layer, { y: tipAt - 0.2, random: patient.fork('plate', index) })
    if (image.fork('canal', index).chance(0.4))
      addCanal(canvas, layer, { one, random: image.fork('canal', index) })
    if (fracture) breakLine(canvas, { layer, finding, fracture, reach: one.shaft })
    add(attenuation, layer, 1)
  })
  if (image.fork('splint').chance(0.3)) addSplint(canvas, attenuation, image.fork('splint'))
  return { attenuation, finding }
}

function chooseBones(random: Random): LimbBone[] {
  const bow = random.normal(0, 0.05)
  const kind = random.pick(['forearm', 'leg', 'arm'])
  if (kind === 'arm') return [{ x: 0, shaft: random.between(0.14, 0.18), end: 0.3, bow }]
  const thick = random.between(0.1, 0.13)
  const [left, right] = kind === 'forearm' ? [thick, thick * 0.85] : [thick * 1.45, thick * 0.62]
  const apart = kind === 'forearm' ? 0.27 : 0.33
  return [
    { x: -apart, shaft: left, end: left * 1.75, bow: 0.06 + bow },
    { x: apart, shaft: right, end: right * 1.5, bow: -0.04 + bow },
  ]
}

function boneLook(random: Random): BoneLook {
  return {
    cortex: random.between(0.03, 0.05),
    marrow: random.between(0.06, 0.2),
    trabecular: random.between(0.05, 0.12),
    fineness: random.between(13, 17),
  }
}

function softTissue(canvas: Canvas, random: Random): Plane {
  const half = random.between(0.62, 0.85)
  const lean = random.normal(0, 0.06)
  const plane = canvas.plane()
  canvas.visit(null, (i, x, y) => {
    const width = half * (1 - 0.1 * y)
    plane[i] = 0.45 * Math.sqrt(clamp(1 - ((x - lean * y) / width) ** 2, 0, 1))
  })
  return plane
}

/** A shaft that flares to a rounded end at `tipAt`. */
function outline(one: LimbBone, tipAt: number): Shape {
  const half = (y: number) => mix(one.shaft, one.end, smoothstep(tipAt - 0.55, tipAt - 0.08, y))
  const axis = (y: number) => one.x + one.bow * Math.cos(y * 1.3)
  const levels = [-1.7, -1.2, -0.8, -0.5, -0.2, 0.05, 0.25, 0.4, 0.55, 0.7, 0.85].map(
    (t) => t * tipAt,
  )
  const right = levels.map((y) => at(axis(y) + half(y), y))
  const left = levels.map((y) => at(axis(y) - half(y), y)).reverse()
  const cap = [
    at(axis(tipAt) + half(tipAt) * 0.55, tipAt),
    at(axis(tipAt) - half(tipAt) * 0.55, tipAt - 0.01),
  ]
  return polygon(curve([...right, ...cap, ...left], { steps: 3, closed: true }))
}

function drawFracture(one: LimbBone, random: Random): Fracture {
  const y = random.between(-0.55, 0.42)
  return {
    x: one.x + one.bow * Math.cos(y * 1.3),
    y,
    slope: random.sign() * random.between(0, 0.95),
    jag: createNoise(random.fork('jag')),
    width: random.between(0.02, 0.034),
    step: random.sign() * random.between(0.02, 0.07),
    bend: random.normal(0, 0.06),
  }
}

/** Signed distance from the fracture line, positive on the far side. */
function beyond(fracture: Fracture, x: number, y: number): number {
  const { slope, jag } = fracture
  const across = y - fracture.y - slope * (x - fracture.x) - 0.035 * jag(x * 16, 0.5)
  return across / Math.hypot(1, slope)
}

/** The far fragment is moved sideways and turned about the fracture. */
function displacedBeyond(shape: Shape, fracture: Fracture): Shape {
  const [cos, sin] = [Math.cos(fracture.bend), Math.sin(fracture.bend)]
  const { left, right, top, bottom } = shape.box
  return {
    box: { left: left - 0.3, right: right + 0.3, top, bottom: bottom + 0.1 },
    slack: Math.abs(fracture.step) + Math.abs(fracture.bend),
    distance(x, y) {
      if (beyond(fracture, x, y) <= 0) return shape.distance(x, y)
      const u = x - fracture.x - fracture.step
      const v = y - fracture.y
      return shape.distance(fracture.x + u * cos + v * sin, fracture.y + v * cos - u * sin)
    },
  }
}

/** Darkens the line itself and marks it, with what is close to it, as the finding. */
function breakLine(
  canvas: Canvas,
  options: { layer: Plane; finding: Plane; fracture: Fracture; reach: number },
): void {
  const { layer, finding, fracture, reach } = options
  canvas.visit(null, (i, x, y) => {
    const across = Math.abs(beyond(fracture, x, y))
    layer[i] = (layer[i] as number) * (1 - 0.75 * (1 - smoothstep(0.3, 1, across / fracture.width)))
    const near = Math.hypot(across / 0.1, (x - fracture.x) / (reach + 0.06))
    if (near < 1) finding[i] = 1
  })
}

/** The open growth plate of a child: a smooth, gently curved dark band across the end, with dense borders. */
function addGrowthPlate(
  canvas: Canvas,
  layer: Plane,
  options: { y: number; random: Random },
): void {
  const { random } = options
  const width = random.between(0.016, 0.028)
  const wave = random.between(0.01, 0.03)
  const phase = random.between(0, 6)
  canvas.visit(null, (i, x, y) => {
    const across = Math.abs(y - options.y - wave * Math.sin(x * 9 + phase)) / width
    if (across > 3) return
    const dark = 1 - 0.65 * (1 - smoothstep(0.3, 1, across))
    const dense = 1 + 0.25 * smoothstep(0.9, 1.3, across) * (1 - smoothstep(1.6, 2.6, across))
    layer[i] = (layer[i] as number) * dark * dense
  })
}

/** A nutrient canal: a thin slanting line through one cortex that stops in the marrow. */
function addCanal(canvas: Canvas, layer: Plane, options: { one: LimbBone; random: Random }): void {
  const { one, random } = options
  const y = random.between(-0.5, 0.3)
  const side = random.sign()
  const x = one.x + one.bow * Math.cos(y * 1.3)
  const line = canvas.plane()
  const points = [
    at(x + side * one.shaft * 1.1, y),
    at(x + side * one.shaft * 0.1, y + random.sign() * 0.16),
  ]
  stroke(canvas, line, { points, from: 0.014, to: 0.009 })
  for (let i = 0; i < layer.length; i++)
    layer[i] = (layer[i] as number) * (1 - 0.35 * (line[i] as number))
}

/** Edges of a splint or a fold of bandage: long lines that run on past the bone. */
function addSplint(canvas: Canvas, plane: Plane, random: Random): void {
  const y = random.between(-0.8, 0.8)
  const slope = random.normal(0, 0.35)
  const points = [at(-1.4, y - 1.4 * slope), at(1.4, y + 1.4 * slope)]
  const layer = canvas.plane()
  stroke(canvas, layer, { points, from: random.between(0.01, 0.05) })
  add(plane, layer, random.between(-0.12, 0.14))
}

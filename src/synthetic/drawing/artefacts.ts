// What is on a radiograph besides the patient: side markers, tubes and leads, rulers, collimation. Drawn from a stream
// that knows nothing of the label, so each is as frequent in every class. Never part of a mask.
import { type Canvas, chord, createCanvas, IDENTITY, type Plane, stroke } from './canvas.ts'
import { at, clamp, curve, type Point, smoothstep } from './geometry.ts'
import type { Random } from './random.ts'

export const ARTEFACTS = ['marker', 'tube', 'leads', 'ruler', 'collimation'] as const
export type Artefact = (typeof ARTEFACTS)[number]

/** How often each appears, for every class alike. */
const FREQUENCY: Readonly<Record<Artefact, number>> = {
  marker: 0.6,
  tube: 0.25,
  leads: 0.2,
  ruler: 0.1,
  collimation: 0.5,
}

/** Which artefacts an image gets. `allowed` leaves out what makes no sense for a body part. */
export function chooseArtefacts(random: Random, allowed: readonly Artefact[]): Artefact[] {
  return ARTEFACTS.filter(
    (name) => random.fork(name).chance(FREQUENCY[name]) && allowed.includes(name),
  )
}

/** Things lying in the beam, to be added to the attenuation before the film is exposed. */
export function devices(canvas: Canvas, chosen: readonly Artefact[], random: Random): Plane {
  const plane = canvas.plane()
  if (chosen.includes('tube')) drawTube(canvas, plane, random.fork('tube'))
  if (chosen.includes('leads')) drawLeads(canvas, plane, random.fork('leads'))
  return plane
}

/** A line with a radio-opaque stripe, entering from an edge and ending somewhere inside. */
function drawTube(canvas: Canvas, plane: Plane, random: Random): void {
  const side = random.sign()
  const knots = [
    at(side * random.between(0.1, 0.9), -1.1),
    at(side * random.between(0, 0.5), random.between(-0.7, -0.3)),
    at(random.between(-0.3, 0.3), random.between(-0.2, 0.3)),
    at(random.between(-0.4, 0.4), random.between(0.3, 0.9)),
  ]
  const points = curve(knots, { steps: 14 })
  const radius = random.between(0.012, 0.022)
  stroke(canvas, plane, { points, from: radius, amount: 0.12, profile: (d, r) => (d < r ? 1 : 0) })
  stroke(canvas, plane, { points, from: radius * 0.35, amount: random.between(0.25, 0.5) })
}

/** Electrodes (a disc with a bright stud) and the wires that leave the field. */
function drawLeads(canvas: Canvas, plane: Plane, random: Random): void {
  const count = random.integer(1, 3)
  for (let i = 0; i < count; i++) {
    const spot = at(random.between(-0.75, 0.75), random.between(-0.7, 0.7))
    const exit = at(random.sign() * 1.1, random.between(-0.9, 0.9))
    const bend = at((spot.x + exit.x) / 2, random.between(-0.8, 0.8))
    const dot = [spot, at(spot.x + 0.001, spot.y)]
    stroke(canvas, plane, {
      points: dot,
      from: 0.04,
      amount: 0.15,
      profile: (d, r) => (d < r ? 1 : 0),
    })
    stroke(canvas, plane, { points: dot, from: 0.014, amount: 0.6 })
    const wire = curve([spot, bend, exit], { steps: 12 })
    stroke(canvas, plane, { points: wire, from: 0.006, amount: 0.3 })
  }
}

const LETTERS: Readonly<Record<'L' | 'R', readonly (readonly Point[])[]>> = {
  L: [[at(0, -1), at(0, 1), at(1, 1)]],
  R: [
    [at(0, 1), at(0, -1), at(0.7, -1), at(1, -0.75), at(1, -0.3), at(0.7, 0), at(0, 0)],
    [at(0.45, 0), at(1, 1)],
  ],
}

/** Marks upon the finished film (brightness 0..1): lead letters, a ruler, and the collimator's black borders last. */
export function burnIn(
  film: Plane,
  chosen: readonly Artefact[],
  options: { size: number; random: Random },
) {
  const { size, random } = options
  const canvas = createCanvas(size, IDENTITY)
  const marks = canvas.plane()
  if (chosen.includes('marker')) drawMarker(canvas, marks, random.fork('marker'))
  if (chosen.includes('ruler')) drawRuler(canvas, marks, random.fork('ruler'))
  const bright = random.between(0.75, 1)
  for (let i = 0; i < film.length; i++) {
    const mark = clamp(marks[i] as number, 0, 1)
    film[i] = (film[i] as number) * (1 - mark) + bright * mark
  }
  if (chosen.includes('collimation')) collimate(canvas, film, random.fork('collimation'))
}

function drawMarker(canvas: Canvas, plane: Plane, random: Random): void {
  const letter = LETTERS[random.pick<'L' | 'R'>(['L', 'R'])]
  const height = random.between(0.05, 0.08)
  const corner = at(
    random.sign() * random.between(0.72, 0.9),
    random.sign() * random.between(0.7, 0.88),
  )
  const tilt = random.normal(0, 0.2)
  const [cos, sin] = [Math.cos(tilt) * height, Math.sin(tilt) * height]
  const place = (p: Point) => at(corner.x + p.x * cos - p.y * sin, corner.y + p.x * sin + p.y * cos)
  for (const line of letter) {
    stroke(canvas, plane, {
      points: line.map(place),
      from: 0.014,
      profile: (d, r) => (d < r ? 1 : 0),
    })
  }
}

function drawRuler(canvas: Canvas, plane: Plane, random: Random): void {
  const x = random.sign() * random.between(0.86, 0.95)
  const pitch = random.between(0.05, 0.08)
  for (let i = 0, y = -0.8; y < 0.8; y += pitch, i++) {
    const length = i % 5 === 0 ? 0.07 : 0.035
    const tick = [at(x, y), at(x - Math.sign(x) * length, y)]
    stroke(canvas, plane, { points: tick, from: 0.006, amount: 0.8, profile: chord })
  }
}

/** Black (or nearly) outside a slightly turned rectangle: where the collimator's blades stood. */
function collimate(canvas: Canvas, film: Plane, random: Random): void {
  const angle = random.normal(0, 0.03)
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
  const edge = () => (random.chance(0.5) ? random.between(0.8, 0.97) : 1.3)
  const [left, right, top, bottom] = [edge(), edge(), edge(), edge()]
  const black = random.between(0, 0.05)
  canvas.visit(null, (i, x, y) => {
    const u = x * cos + y * sin
    const v = y * cos - x * sin
    const outside = Math.max(u - right, -u - left, v - bottom, -v - top)
    const open = 1 - smoothstep(-0.012, 0.006, outside)
    film[i] = black + ((film[i] as number) - black) * open
  })
}

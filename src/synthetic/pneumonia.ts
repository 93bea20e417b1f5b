// Chest with or without consolidation. The sign is texture: fluffy opacity crossed by dark air bronchograms. Normal
// images have smooth shadows of the same size and brightness (breast, fold, scapula), so brightness alone says little.

import { drawThorax, type Thorax } from './anatomy/thorax.ts'
import { drawBuild } from './anatomy/thorax-build.ts'
import { add, type Canvas, coverage, type Plane, stroke } from './drawing/canvas.ts'
import { at, clamp, curve, displaced, ellipse, type Point, type Shape } from './drawing/geometry.ts'
import { createNoise, octaves } from './drawing/noise.ts'
import type { Random } from './drawing/random.ts'
import type { Radiograph, Scene } from './scene.ts'

export function drawPneumonia(scene: Scene): Radiograph {
  const { canvas, image } = scene
  const build = drawBuild(scene.patient)
  const heart = {
    ratio: scene.patient.fork('heart').between(0.4, 0.54),
    roundness: scene.patient.fork('shape').uniform(),
    height: scene.patient.fork('length').between(0.24, 0.31),
    shift: image.fork('shift').normal(0, 0.02),
  }
  const thorax = drawThorax(canvas, build, heart)
  const shadows = image.fork('shadows')
  const sick = scene.label === 'PNEUMONIA'
  const count = sick ? shadows.integer(0, 1) : shadows.integer(1, 3)
  for (let i = 0; i < count; i++) addSmoothShadow(thorax, canvas, shadows.fork(i))
  if (shadows.chance(0.3)) addNipples(thorax, canvas, shadows.fork('nipples'))

  const finding = canvas.plane()
  const lesions = image.fork('lesions')
  const foci = sick ? (lesions.chance(0.45) ? 2 : 1) : 0
  for (let i = 0; i < foci; i++)
    addConsolidation(thorax, finding, { canvas, random: lesions.fork(i) })
  return { attenuation: thorax.attenuation, finding }
}

/** A place well inside a lung, on either side and at any height. */
function placeInLung(thorax: Thorax, random: Random): Point {
  const { width, height } = thorax.build
  const y = random.between(-0.5, 0.3)
  return at(random.sign() * width * random.between(0.26, 0.54 + 0.08 * y), y * height)
}

function blob(centre: Point, random: Random): Shape {
  const outline = ellipse(
    centre,
    random.between(0.17, 0.28),
    random.between(0.17, 0.28),
    random.between(0, 3),
  )
  const edge = octaves(createNoise(random.fork('edge')), 2)
  return displaced(outline, { reach: 0.09, offset: (x, y) => 0.11 * edge(x * 7, y * 7) })
}

function addConsolidation(
  thorax: Thorax,
  finding: Plane,
  options: { readonly canvas: Canvas; readonly random: Random },
): void {
  const { canvas, random } = options
  const centre = placeInLung(thorax, random)
  const area = coverage(canvas, blob(centre, random), 0.1)
  const fluff = octaves(createNoise(random.fork('fluff')), 2)
  const fineness = random.between(11, 16)
  const strength = random.between(0.32, 0.58)
  const bronchi = bronchograms(canvas, centre, random.fork('bronchi'))
  canvas.visit(null, (i, x, y) => {
    const share = (area[i] as number) * (thorax.lungs[i] as number)
    if (share <= 0.01) return
    const texture = clamp(0.45 + 1.25 * fluff(x * fineness, y * fineness), 0, 1.2)
    const open = 1 - 0.85 * (bronchi[i] as number)
    thorax.attenuation[i] = (thorax.attenuation[i] as number) + strength * share * texture * open
    finding[i] = Math.max(finding[i] as number, share)
  })
}

/** Air-filled bronchi: a few dark branching lines through the opacity. */
function bronchograms(canvas: Canvas, centre: Point, random: Random): Plane {
  const plane = canvas.plane()
  const towards = Math.atan2(centre.y, centre.x)
  for (let i = 0; i < 4; i++) {
    const angle = towards + random.normal(0, 0.7)
    const start = at(
      centre.x - 0.22 * Math.cos(angle),
      centre.y - 0.22 * Math.sin(angle) + random.normal(0, 0.06),
    )
    const bend = angle + random.normal(0, 0.4)
    const middle = at(start.x + 0.2 * Math.cos(angle), start.y + 0.2 * Math.sin(angle))
    const end = at(middle.x + 0.2 * Math.cos(bend), middle.y + 0.2 * Math.sin(bend))
    const points = curve([start, middle, end], { steps: 5 })
    stroke(canvas, plane, { points, from: 0.017, to: 0.009 })
  }
  return plane
}

/** Soft tissue over the lung: as large and as bright as a consolidation, but without any structure of its own. */
function addSmoothShadow(thorax: Thorax, canvas: Canvas, random: Random): void {
  const area = coverage(
    canvas,
    blob(placeInLung(thorax, random), random),
    random.between(0.06, 0.16),
  )
  for (let i = 0; i < area.length; i++) area[i] = (area[i] as number) * (thorax.lungs[i] as number)
  add(thorax.attenuation, area, random.between(0.12, 0.26))
}

function addNipples(thorax: Thorax, canvas: Canvas, random: Random): void {
  const y = random.between(0.1, 0.25)
  for (const side of [-1, 1]) {
    const spot = at(side * random.between(0.36, 0.46), y + random.normal(0, 0.02))
    add(thorax.attenuation, coverage(canvas, ellipse(spot, 0.03, 0.026), 0.015), 0.12)
  }
}

// Chest with a normal or an enlarged heart. The sign is the sharp border of the heart relative to the inner thorax (ratio
// above one half), under changing zoom and position. Soft haze of fat, breasts and a high diaphragm make dark lung just as
// scarce beside a normal heart, so counting dark pixels does not find it.

import { drawThorax, type Thorax } from './anatomy/thorax.ts'
import { drawBuild } from './anatomy/thorax-build.ts'
import { add, type Canvas, coverage } from './drawing/canvas.ts'
import { at, ellipse } from './drawing/geometry.ts'
import type { Random } from './drawing/random.ts'
import type { Radiograph, Scene } from './scene.ts'

/** Where normal and enlarged meet: a large heart is mostly wider, and a little of its ratio comes from a slim thorax. */
const MIDDLE_RATIO = 0.51

export function drawCardiomegaly(scene: Scene): Radiograph {
  const { canvas, image, patient } = scene
  const random = image.fork('heart')
  const own = patient.fork('heart')
  const enlarged = scene.label === 'CARDIOMEGALY'
  const ratio = enlarged ? own.between(0.53, 0.66) : own.between(0.37, 0.49)
  const build = drawBuild(patient)
  const dome = (height: number) => height + random.normal(0, 0.06)
  const thorax = drawThorax(
    canvas,
    {
      ...build,
      width: build.width * (MIDDLE_RATIO / ratio) ** 0.1,
      domes: [dome(build.domes[0]), dome(build.domes[1])],
    },
    {
      ratio,
      roundness: own.between(enlarged ? 0.2 : 0, enlarged ? 1 : 0.8),
      height: own.between(0.24, 0.31),
      shift: random.normal(0, 0.05),
    },
  )
  addHaze(thorax, canvas, { random: random.fork('haze'), enlarged })
  if (random.chance(enlarged ? 0.2 : 0.4)) addFatPad(thorax, canvas, random.fork('fat'))
  if (random.chance(enlarged ? 0.35 : 0.65)) addBreasts(thorax, canvas, random.fork('breasts'))
  return {
    attenuation: thorax.attenuation,
    finding: enlarged ? coverage(canvas, thorax.heartShape) : canvas.plane(),
  }
}

/** Fat around the heart, without an edge: it reaches about as far in either class, which a large heart mostly hides. */
function addHaze(
  thorax: Thorax,
  canvas: Canvas,
  options: { readonly random: Random; readonly enlarged: boolean },
): void {
  const { random, enlarged } = options
  const { x, y } = thorax.heartCentre
  const reach = random.between(0.36, 0.5)
  const haze = coverage(canvas, ellipse(at(x, y), reach, random.between(0.28, 0.36)), 0.26)
  for (let i = 0; i < haze.length; i++) haze[i] = (haze[i] as number) * (thorax.lungs[i] as number)
  add(thorax.attenuation, haze, enlarged ? random.between(0, 0.25) : random.between(0.1, 0.5))
}

/** Fat in the angle between heart and diaphragm: it blunts the apex without widening the ventricle. */
function addFatPad(thorax: Thorax, canvas: Canvas, random: Random): void {
  const { build } = thorax
  const spot = at(random.between(0.3, 0.4) * build.width, build.domes[1] * build.height - 0.02)
  add(thorax.attenuation, coverage(canvas, ellipse(spot, 0.16, 0.08, -0.5), 0.08), 0.22)
}

function addBreasts(thorax: Thorax, canvas: Canvas, random: Random): void {
  const drop = random.between(0.2, 0.35)
  for (const side of [-1, 1]) {
    const shape = ellipse(
      at(side * 0.42, drop),
      random.between(0.24, 0.3),
      random.between(0.2, 0.26),
    )
    add(thorax.attenuation, coverage(canvas, shape, 0.12), random.between(0.08, 0.16))
  }
}

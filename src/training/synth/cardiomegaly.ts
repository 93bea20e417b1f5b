// Chest with a normal or an enlarged heart. The sign is a ratio, heart over inner thorax (CTR above one half), under
// changing zoom, position and rotation; a fat pad beside a normal heart and wide breasts are the confounders.
import { add, type Canvas, coverage } from './canvas.ts'
import { at, ellipse } from './geometry.ts'
import type { Random } from './random.ts'
import type { Radiograph, Scene } from './scene.ts'
import { drawBuild, drawThorax, type Thorax } from './thorax.ts'

export function drawCardiomegaly(scene: Scene): Radiograph {
  const { canvas, image } = scene
  const random = image.fork('heart')
  const enlarged = scene.label === 'CARDIOMEGALY'
  const thorax = drawThorax(canvas, drawBuild(scene.patient), {
    ratio: enlarged ? random.between(0.545, 0.7) : random.between(0.36, 0.505),
    roundness: enlarged ? random.between(0.35, 1) : random.between(0, 0.65),
    shift: random.normal(0, 0.035),
  })
  if (random.chance(enlarged ? 0.15 : 0.3)) addFatPad(thorax, canvas, random.fork('fat'))
  if (random.chance(0.4)) addBreasts(thorax, canvas, random.fork('breasts'))
  return {
    attenuation: thorax.attenuation,
    finding: enlarged ? coverage(canvas, thorax.heartShape) : canvas.plane(),
  }
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

// Chest with a normal or an enlarged heart. The sign is a ratio, heart over inner thorax (CTR above one half), under
// changing zoom, position and rotation; a fat pad beside a normal heart and wide breasts are the confounders.
import { add, type Canvas, coverage } from './canvas.ts'
import { at, ellipse } from './geometry.ts'
import type { Random } from './random.ts'
import type { Radiograph, Scene } from './scene.ts'
import { drawBuild, drawThorax, type Thorax } from './thorax.ts'

/** Where normal and enlarged meet; half of a ratio's difference from it comes from the heart, half from the thorax. */
const MIDDLE_RATIO = 0.51

export function drawCardiomegaly(scene: Scene): Radiograph {
  const { canvas, image, patient } = scene
  const random = image.fork('heart')
  const own = patient.fork('heart')
  const enlarged = scene.label === 'CARDIOMEGALY'
  const ratio = enlarged ? own.between(0.53, 0.67) : own.between(0.36, 0.495)
  const build = drawBuild(patient)
  const breathing = random.normal(0, 0.05)
  const thorax = drawThorax(
    canvas,
    {
      ...build,
      width: build.width * Math.sqrt(MIDDLE_RATIO / ratio),
      domes: [build.domes[0] + breathing, build.domes[1] + breathing],
    },
    {
      ratio,
      roundness: enlarged ? own.between(0.3, 1) : own.between(0, 0.7),
      shift: random.normal(0, 0.045),
    },
  )
  if (random.chance(enlarged ? 0.15 : 0.4)) addFatPad(thorax, canvas, random.fork('fat'))
  if (random.chance(0.5)) addBreasts(thorax, canvas, random.fork('breasts'))
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

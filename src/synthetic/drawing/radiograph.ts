// From attenuation to a displayed radiograph: scatter, detector blur, exposure, window, heel effect and quantum noise.
// Owns the optics only; burnt-in marks and collimation come afterwards in artefacts.ts.
import { blurred, type Canvas, type Plane } from './canvas.ts'
import { clamp } from './geometry.ts'
import { createNoise, octaves } from './noise.ts'
import type { Random } from './random.ts'

/**
 * Brightness 0..1 (bone bright, air dark) of an attenuation map (line integrals, any scale). The window is set from the
 * image's own percentiles with jitter, as an operator's automatic exposure is, so absolute brightness says nothing.
 */
export function develop(canvas: Canvas, attenuation: Plane, random: Random): Plane {
  const { size } = canvas
  const unit = size / 256
  const scattered = blurred(attenuation, { size, radius: 14 * unit })
  const scatter = random.between(0.05, 0.25)
  const sharp = blurred(attenuation, { size, radius: random.chance(0.35) ? unit : 0 })
  const [low, high] = range(attenuation)
  const from = low + (high - low) * random.normal(0, 0.06)
  const span = (high - low) * random.between(0.95, 1.3)
  const gamma = Math.exp(random.normal(0, 0.22))
  const curve = random.between(0, 0.7)
  const heel = { x: random.normal(0, 0.07), y: random.normal(0, 0.07) }
  const veil = octaves(createNoise(random.fork('veil')), 2)
  const veilStrength = random.between(0, 0.09)
  const grain = quantumNoise(canvas, random.fork('grain'))
  const dose = random.between(0.012, 0.04)

  const film = canvas.plane()
  for (let row = 0; row < size; row++) {
    const v = (row / size) * 2 - 1
    for (let column = 0; column < size; column++) {
      const i = row * size + column
      const u = (column / size) * 2 - 1
      const a = (1 - scatter) * (sharp[i] as number) + scatter * (scattered[i] as number)
      const t = clamp((a - from) / span, 0, 1.15)
      const exposed = (1 - curve) * t + curve * t * t * (3 - 2 * t)
      const field = heel.x * u + heel.y * v + veilStrength * veil(u * 1.7, v * 1.7)
      const clean = exposed ** gamma * (0.92 + field) + 0.04 + field * 0.3
      // Fewer quanta reach the detector behind dense tissue, so bright parts are noisier.
      film[i] = clean + dose * (0.5 + t) * (grain[i] as number)
    }
  }
  return film
}

/** Detector noise of unit strength, slightly correlated between neighbours as in a real panel. */
function quantumNoise(canvas: Canvas, random: Random): Plane {
  const white = canvas.plane()
  for (let i = 0; i < white.length; i++) {
    white[i] = (random.uniform() + random.uniform() + random.uniform() - 1.5) * 2
  }
  const soft = blurred(white, { size: canvas.size, radius: 1 })
  for (let i = 0; i < white.length; i++) {
    soft[i] = 0.6 * (white[i] as number) + 1.6 * (soft[i] as number)
  }
  return soft
}

/** The 2nd and 99th percentile of a sample of the central part of the image. */
function range(plane: Plane): [number, number] {
  const sample: number[] = []
  for (let i = 0; i < plane.length; i += 13) sample.push(plane[i] as number)
  sample.sort((a, b) => a - b)
  const rank = (share: number) => sample[Math.floor(share * (sample.length - 1))] as number
  return [rank(0.02), rank(0.99)]
}

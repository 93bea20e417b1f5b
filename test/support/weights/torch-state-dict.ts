// A state dict in the names and layouts of torchvision, of full size, with numbers that tell their place: for tests that need
// a file and no PyTorch. That the names are torchvision's is shown by files of torchvision itself.
import { rm } from 'node:fs/promises'
import type { Architecture } from '../../../src/architectures/architecture.ts'
import { foreignShape, ownLayers } from '../../../src/conversion/fitting/places.ts'
import { torchPlace } from '../../../src/conversion/fitting/torch-names.ts'
import { uniforms } from '../../../src/engine/random/counter-random.ts'
import { writeSafetensors } from '../../../src/formats/torch/safetensors.ts'

const asDrawn = (value: number): number => 0.1 + 0.9 * value
const small = (value: number): number => (value - 0.5) / 10

/** Variances, and the thresholds of torchxrayvision. */
function isPositive(name: string): boolean {
  return name.endsWith('running_var') || name === 'op_threshs'
}

export interface Wanted {
  readonly architecture: Architecture
  readonly channels: 1 | 3
  readonly outputs: number
  readonly seed?: number
  /** Another shape for a tensor, a further tensor, or null to leave one out. */
  readonly change?: ReadonlyMap<string, readonly number[] | null>
}

/** Writes safetensors. @returns the numbers by name */
export async function torchStateDict(
  path: string,
  { architecture, channels, outputs, seed = 1, change = new Map() }: Wanted,
): Promise<ReadonlyMap<string, Float32Array>> {
  const side = architecture.inputSize
  const shape = { height: side, width: side, channels, outputs, seed: 0, weights: 'zeros' } as const
  const model = architecture.build({ ...shape, variant: 'torchvision', top: 'original' })
  const shapes = new Map<string, readonly number[]>()
  for (const weight of ownLayers(model).flat()) {
    const { names, axes, view } = torchPlace(weight, architecture.name)
    const [name = ''] = names
    const seen = foreignShape(view ?? weight.shape, axes)
    const [first = 0, ...rest] = seen
    shapes.set(name, view ? [first, rest.reduce((n, dim) => n * dim, 1)] : seen)
  }
  model.dispose()
  for (const [name, changed] of change) {
    if (changed === null) shapes.delete(name)
    else shapes.set(name, changed)
  }
  const values = new Map(
    [...shapes].map(([name, dims], i) => {
      const size = dims.reduce((n, dim) => n * dim, 1)
      return [name, uniforms(size, seed, 1, i).map(isPositive(name) ? asDrawn : small)]
    }),
  )
  await rm(path, { force: true })
  await writeSafetensors(path, {
    tensors: [...shapes].map(([name, dims]) => ({ name, shape: dims })),
    valuesOf: async (name) => values.get(name) ?? new Float32Array(),
  })
  return values
}

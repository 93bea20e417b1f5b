// Between which values the activations of a graph lie, over some images. The graph itself finds the extremes of each, so that
// nothing large leaves it.
import type { OnnxGraph, OnnxNode } from '../onnx/model.ts'
import { encodeModel } from '../onnx/model.ts'
import { createSession } from '../session.ts'
import type { Range } from './eight-bits.ts'

export interface MeasureOptions {
  readonly values: readonly string[]
  /** Name, dimensions and prepared images of the graph's one input. */
  readonly input: { readonly name: string; readonly dims: readonly number[] }
  readonly images: Iterable<Float32Array>
  readonly threads: number
}

/** Extremes of each value: one entry for each image. */
export type Extremes = ReadonlyMap<string, readonly Range[]>

/** @throws AppError `load-failed` */
export async function measureExtremes(graph: OnnxGraph, o: MeasureOptions): Promise<Extremes> {
  const session = await createSession(encodeModel(withExtremes(graph, o.values)), {
    threads: o.threads,
  })
  const found = new Map<string, Range[]>(o.values.map((name) => [name, []]))
  try {
    for (const image of o.images) {
      const all = await session.run({ [o.input.name]: { data: image, dims: o.input.dims } })
      for (const [at, name] of o.values.entries()) {
        const [min, max] = [all[`min_${at}`]?.data[0] ?? 0, all[`max_${at}`]?.data[0] ?? 0]
        found.get(name)?.push({ min, max })
      }
    }
  } finally {
    await session.release()
  }
  return found
}

function withExtremes(graph: OnnxGraph, values: readonly string[]): OnnxGraph {
  const reduce = (op: string, name: string, output: string): OnnxNode => ({
    op,
    inputs: [name],
    outputs: [output],
    attributes: { keepdims: 0 },
  })
  const ends = values.flatMap((name, at) => [
    reduce('ReduceMin', name, `min_${at}`),
    reduce('ReduceMax', name, `max_${at}`),
  ])
  const outputs = ends.map(({ outputs: [name = ''] }) => {
    return { name, type: 'float32', dims: [] } as const
  })
  return { ...graph, nodes: [...graph.nodes, ...ends], outputs }
}

/**
 * How one range is made of the extremes of many images. `widest` lets in every value that was seen; `average` is narrower and
 * so finer, and cuts off what only some images reach.
 */
export const RANGE_RULES = {
  widest: (extremes: readonly Range[]): Range => ({
    min: extremes.reduce((least, { min }) => Math.min(least, min), 0),
    max: extremes.reduce((most, { max }) => Math.max(most, max), 0),
  }),
  average: (extremes: readonly Range[]): Range => ({
    min: extremes.reduce((sum, { min }) => sum + min, 0) / extremes.length,
    max: extremes.reduce((sum, { max }) => sum + max, 0) / extremes.length,
  }),
} as const
export type RangeRule = keyof typeof RANGE_RULES

export function rangesBy(rule: RangeRule, extremes: Extremes): Map<string, Range> {
  return new Map([...extremes].map(([name, list]) => [name, RANGE_RULES[rule](list)]))
}

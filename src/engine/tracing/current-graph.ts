// The graph that is being recorded now. TF.js calls kernels without a context, so there is exactly one at a time.
import type { GraphRecorder } from '../onnx/graph-recorder.ts'

let current: GraphRecorder | undefined

export function currentGraph(): GraphRecorder {
  if (!current) throw new Error('trace: no graph is being recorded')
  return current
}

/** Records into `graph` while `record` runs. Traces do not nest. */
export function recordInto<T>(graph: GraphRecorder, record: () => T): T {
  if (current) throw new Error('trace: a trace cannot start inside another one')
  current = graph
  try {
    return record()
  } finally {
    current = undefined
  }
}

// How a kernel is written: a function from traced values and attributes to traced values, under TF.js' kernel name.
import * as tf from '@tensorflow/tfjs'
import { TRACE_BACKEND, traceBackend } from '../tracing/trace-backend.ts'
import type { Value } from '../tracing/value.ts'

type Inputs<Name extends string> = Readonly<Record<Name, Value>>

/**
 * Registers a kernel of the trace backend. `Name` are the inputs that TF.js passes; optional ones are given to `write`
 * as undefined.
 */
export function kernel<Name extends string, Attributes = Readonly<Record<string, never>>>(
  kernelName: string,
  write: (inputs: Inputs<Name>, attributes: Attributes) => Value | Value[],
): void {
  tf.registerKernel({
    kernelName,
    backendName: TRACE_BACKEND,
    kernelFunc: ({ inputs, attrs }) => {
      const values: Record<string, Value> = {}
      for (const [name, info] of Object.entries(inputs)) {
        if (info) values[name] = traceBackend.lookUp((info as tf.TensorInfo).dataId)
      }
      const results = write(values as Inputs<Name>, (attrs ?? {}) as Attributes)
      return Array.isArray(results)
        ? results.map((value) => traceBackend.add(value))
        : traceBackend.add(results)
    },
  })
}

/** The inputs of a kernel that takes a list, such as Concat, in order. */
export function listOf(inputs: Inputs<string>): Value[] {
  return Object.values(inputs)
}

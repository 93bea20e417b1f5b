// Refuses TF.js' random operations while a function is traced. They draw in JavaScript, not in a kernel, so that the
// tracer would only see a constant: the guard sits where TF.js announces each operation by its name.
import * as tf from '@tensorflow/tfjs'

const RANDOM_OPS = [
  'dropout',
  'multinomial',
  'rand',
  'randomGamma',
  'randomNormal',
  'randomStandardNormal',
  'randomUniform',
  'randomUniformInt',
  'truncatedNormal',
] as const

/** Starts refusing; the returned function ends it. */
export function refuseRandomOps(): () => void {
  const names = new Map(RANDOM_OPS.map((name) => [`${name}__op`, name]))
  const engine = tf.engine()
  engine.startScope = (scope?: string) => {
    const name = names.get(scope ?? '')
    if (name) {
      throw new Error(
        `trace: the random operation ${name} would be drawn once and never again; feed its numbers as an input`,
      )
    }
    Object.getPrototypeOf(engine).startScope.call(engine, scope)
  }
  return () => {
    Reflect.deleteProperty(engine, 'startScope')
  }
}

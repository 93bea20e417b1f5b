// Runs a model over prepared images without changing them: logits in batches, or one image at a time with its Grad-CAM map.
import type * as tf from '@tensorflow/tfjs'
import type { EngineName } from '../engine/native/choose-engine.ts'
import { createPredictionSession } from '../engine/prediction-session.ts'
import type { Session } from '../engine/session.ts'
import type { Outputs } from '../evaluation/probabilities.ts'
import type { ConditionKind } from '../package/schema.ts'
import type { Prepared, PreparedImage } from './dataset/prepared.ts'
import { targetOf } from './loop/batches.ts'
import type { ImageSource } from './loop/image-source.ts'

const BATCH = 16

export function lastActivation(kind: ConditionKind): 'sigmoid' | 'softmax' {
  return kind === 'single-label' ? 'softmax' : 'sigmoid'
}

/** Logits of the images, in their order, beside what is true of them. The last batch is filled up with its own images. */
export async function predictAll(
  model: tf.LayersModel,
  o: {
    readonly prepared: Prepared
    readonly images: readonly PreparedImage[]
    /** What to read instead of the prepared pixels. */
    readonly source?: Pick<ImageSource, 'read' | 'rowLength' | 'prefix'>
    readonly threads: number
    readonly engine: EngineName
  },
): Promise<Outputs> {
  const { prepared, images, threads, engine, source = prepared } = o
  const { index } = prepared
  const { rowLength } = source
  const prefix = 'prefix' in source ? source.prefix : undefined
  const session = await createPredictionSession(model, {
    lastActivation: lastActivation(index.kind),
    batchSize: BATCH,
    explain: false,
    ...(prefix && { prefix }),
    threads,
    engine,
  })
  const { graph } = session
  const dims = [BATCH, ...(prefix ? [prefix.size] : index.storage.shape)]
  const x = new Float32Array(BATCH * rowLength)
  const logits: number[][] = []
  try {
    for (let from = 0; from < images.length; from += BATCH) {
      const part = images.slice(from, from + BATCH)
      for (let place = 0; place < BATCH; place++) {
        const image = part[place % part.length] as PreparedImage
        source.read(image, x.subarray(place * rowLength, (place + 1) * rowLength))
      }
      const all = await session.run({ [graph.input.name]: { data: x, dims } })
      const { data } = all[graph.outputs.logits ?? ''] ?? { data: new Float32Array() }
      const outputs = data.length / BATCH
      part.forEach((_, at) => {
        logits.push([...data.subarray(at * outputs, (at + 1) * outputs)])
      })
    }
  } finally {
    await session.release()
  }
  return { kind: index.kind, logits, truth: images.map((image) => targetOf(image, index)) }
}

/** Runs the very graph of a package on one row. */
export async function runOne(
  session: Session,
  o: { readonly prepared: Prepared; readonly image: PreparedImage; readonly inputName: string },
) {
  const x = new Float32Array(o.prepared.rowLength)
  o.prepared.read(o.image, x)
  const dims = [1, ...o.prepared.index.storage.shape]
  return session.run({ [o.inputName]: { data: x, dims } })
}

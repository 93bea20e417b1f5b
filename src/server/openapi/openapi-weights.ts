// The address of pretrained weights, in words.
import { z } from 'zod'
import { StoredWeightsSchema } from '../../conversion/pretrained/weights-store.ts'
import { json, type Operation } from './openapi-operation.ts'

const WeightsListSchema = z.looseObject({
  items: z.array(StoredWeightsSchema.omit({ file: true })),
  nextCursor: z.string().nullable(),
  /** What `roentgen weights fetch` takes. */
  fetchable: z.array(z.object({ key: z.string(), title: z.string(), architecture: z.string() })),
})

export const WEIGHTS: readonly Operation[] = [
  {
    method: 'get',
    path: '/api/v1/weights',
    tag: 'training',
    summary: 'Pretrained weights that runs can start from, and what can be fetched',
    description:
      'A run names them as hyperparameter "weights": "imagenet" for those of its architecture, or a name of this list.',
    answers: { 200: json(WeightsListSchema, 'By name') },
  },
]

// How far a training run is: its epochs, its phases, what it takes of the machine.

export interface RunEpoch {
  /** From 1. */
  readonly epoch: number
  readonly trainLoss: number
  readonly trainAccuracy: number
  /** Precision, recall and AUC of training images: not in rows of older runs; null where undefined. */
  readonly trainPrecision?: number | null
  readonly trainRecall?: number | null
  readonly trainAuc?: number | null
  readonly valLoss: number
  readonly valAccuracy: number
  readonly valPrecision?: number | null
  readonly valRecall?: number | null
  readonly valAuc: number | null
  readonly learningRate: number
  readonly seconds: number
  readonly imagesPerSecond: number
}

/** What a training takes of the machine now, against what it may; and how warm that makes it. */
export interface RunUse {
  /** Processors that it keeps busy, and may. */
  readonly cpuCores: number
  readonly targetCores: number
  /** Sensors that answer; 0 where the machine shows none. */
  readonly sensors: number
  readonly cpuCelsius: number | null
  readonly gpuCelsius: number | null
  /** Thermal pauses so far, and seconds that were lost to them and to the duty cycle. */
  readonly breaks: number
  readonly lostSeconds: number
}

export interface RunProgress {
  readonly phase: 'preparing' | 'training' | 'evaluating' | 'writing' | null
  /** 0 before the first one. */
  readonly epoch: number
  /** 0 while unknown. */
  readonly epochs: number
  readonly batch: number
  readonly batches: number
  /** Images that are prepared, of so many. */
  readonly prepared: { readonly done: number; readonly total: number } | null
  readonly etaSeconds: number | null
  /** Of the last batch or epoch. */
  readonly metrics: {
    readonly loss: number
    readonly accuracy: number
    readonly valLoss: number | null
    readonly valAccuracy: number | null
    readonly valAuc: number | null
  } | null
  readonly learningRate: number | null
  readonly imagesPerSecond: number | null
  readonly memoryBytes: number | null
  readonly cpuSeconds: number | null
  /** Not in runs from before it was watched. */
  readonly use?: RunUse | undefined
  readonly bestEpoch: number | null
  readonly history: readonly RunEpoch[]
  /** Seconds of each phase that has ended. */
  readonly phases: Readonly<Record<string, number>>
  /** After an interruption; what differs from before, such as the number of threads: empty, it ends with the same bits. */
  readonly resumed?: { readonly exact: boolean; readonly differs: readonly string[] } | undefined
  /** What a person should know while it runs, such as overfitting. */
  readonly notes: readonly string[]
}

export const NO_PROGRESS: RunProgress = {
  phase: null,
  epoch: 0,
  epochs: 0,
  batch: 0,
  batches: 0,
  prepared: null,
  etaSeconds: null,
  metrics: null,
  learningRate: null,
  imagesPerSecond: null,
  memoryBytes: null,
  cpuSeconds: null,
  bestEpoch: null,
  history: [],
  phases: {},
  notes: [],
}

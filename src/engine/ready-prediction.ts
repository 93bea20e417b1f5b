// A model that is ready to predict, whatever runs it.
import type { EngineName } from './native/choose-engine.ts'
import type { PredictionPorts } from './prediction-graph.ts'
import type { Session } from './session.ts'

export interface PredictionSession extends Session {
  readonly engine: EngineName
  readonly graph: PredictionPorts
  readonly explanationLayer: string | null
  readonly explanationReason: string
}

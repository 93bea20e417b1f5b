// A process that tells its parent what can be trained, and ends.
import { ARCHITECTURES } from './architectures/catalogue.ts'

process.send?.(
  ARCHITECTURES.map(({ build: _, explanation: __, ...card }) => card),
  () => process.exit(),
)

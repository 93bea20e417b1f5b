// A process that tells its parent what can be trained, and ends.
import { ARCHITECTURES } from './architectures/catalogue.ts'
import { answerParent } from './child-answer.ts'

answerParent(async () => ARCHITECTURES.map(({ build: _, explanation: __, ...card }) => card))

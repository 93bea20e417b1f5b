// A process that tells its parent what can be trained, and ends.

import { answerParent } from '../processes/child-answer.ts'
import { ARCHITECTURES } from './catalogue.ts'

answerParent(async () => ARCHITECTURES.map(({ build: _, explanation: __, ...card }) => card))

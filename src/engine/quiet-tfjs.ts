// Loaded for its effect: TF.js' cpu backend advertises its native variant on first use; it is only the reference and the
// place where weights rest here, so the advertisement would mislead.
import * as tf from '@tensorflow/tfjs'

// Backends are made when they are first chosen; before that there is nothing to quieten.
await tf.setBackend('cpu')
const cpu = tf.findBackend('cpu') as { firstUse?: boolean } | null
if (cpu) cpu.firstUse = false

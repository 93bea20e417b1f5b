// Loaded for its effect: TF.js' cpu backend advertises its native variant on first use; it is only the reference and the
// place where weights rest here, so the advertisement would mislead.
import * as tf from '@tensorflow/tfjs'

const cpu = tf.findBackend('cpu') as { firstUse?: boolean } | null
if (cpu) cpu.firstUse = false

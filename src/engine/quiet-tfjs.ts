// Loaded for its effect: TF.js' cpu backend advertises its native variant on first use; it is only the reference and the
// place where weights rest here, so the advertisement would mislead.
import * as tf from '@tensorflow/tfjs'

const cpu: { firstUse?: boolean } = tf.findBackend('cpu') ?? {}
cpu.firstUse = false

// A process that loads TensorFlow's library, computes one product with it and says whether that was done on a GPU.
// A library for another machine or driver may end the process that loads it, hence one of its own.
import * as tf from '@tensorflow/tfjs'
import { loadLibrary, onNative } from './load-library.ts'

const { gpu } = loadLibrary({ ...JSON.parse(process.argv[2] ?? '{}'), isComplete: true })
const [product] = onNative(() => tf.tidy(() => tf.matMul([[2, 3]], [[5], [7]]).dataSync()))
if (product !== 2 * 5 + 3 * 7) throw new Error(`2 * 5 + 3 * 7 is not ${product}`)
console.log(JSON.stringify({ gpu }))

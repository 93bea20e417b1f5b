// One training step, each framework in a process of its own: time, memory, and ratios to PyTorch and Keras.
// `node bench/training-step.ts [network] [size] [batch] [rounds] [threads]`; network: custom_cnn, plain_cnn, densenet121,
// densenet121:20 (its last 20 layers, the frozen part run each time).
import { cpus } from 'node:os'
import { alternating, type Contender, table } from './alternating.ts'
import { Peer } from './peer.ts'

const [what = 'custom_cnn', ...numbers] = process.argv.slice(2)
const [size = 224, batchSize = 32, rounds = 7, threads = 2] = numbers.map(Number)
const args = [what, size, batchSize, threads].map(String)
// One after the other: each warms up alone.
const peers: Peer[] = []
for (const script of ['roentgen-training.ts', 'pytorch_training.py', 'keras_training.py']) {
  const peer = await Peer.start(script, args)
  if (peer) peers.push(peer)
}
const contenders: Contender[] = peers.map((peer) => ({
  name: peer.version,
  run: () => peer.ask('step'),
}))
const timings = await alternating(contenders, rounds)
console.log(
  `${cpus()[0]?.model}, ${cpus().length} cores, ${threads} threads, ${rounds} alternating rounds`,
)
console.log(table(`${what}, ${size} px, one step of batch ${batchSize}`, timings))
const own = timings[0]?.medianMs ?? Number.NaN
const ownPeak = peers[0]?.peakMiB ?? Number.NaN
for (const [i, peer] of peers.entries()) {
  const times = (own / (timings[i]?.medianMs ?? Number.NaN)).toFixed(2)
  const memory = (ownPeak / peer.peakMiB).toFixed(2)
  console.log(
    `${peer.version}: peak ${peer.peakMiB.toFixed(0)} MiB; Roentgen takes ${times} x its time, ${memory} x its memory`,
  )
  peer.stop()
}

// Figures of this moment that are read and not counted: readiness, hosts, the queue, the web process.
import type { Gauge } from './metrics.ts'
import type { Uses } from './services.ts'

export function serverGauges(services: Uses<'isReady' | 'runtime'>): Gauge[] {
  const hosts = services.runtime.status()
  const queue = services.runtime.queue()
  const memory = process.memoryUsage()
  const one = (name: string, help: string, value: number): Gauge => ({
    name,
    help,
    samples: [{ labels: {}, value }],
  })
  return [
    one('roentgen_ready', '1 when every active version can answer.', services.isReady ? 1 : 0),
    one('roentgen_inferences_running', 'Inferences that run now.', queue.running),
    one('roentgen_inferences_waiting', 'Requests that wait for an inference.', queue.waiting),
    one('roentgen_process_resident_bytes', 'Resident memory of the web process.', memory.rss),
    one('roentgen_process_heap_bytes', 'Heap in use, garbage included.', memory.heapUsed),
    one('roentgen_uptime_seconds', 'Since the start of the process.', process.uptime()),
    {
      name: 'roentgen_host_resident_bytes',
      help: 'Resident memory of each model host.',
      samples: hosts.map(({ id, role, rssBytes }) => ({
        labels: { version: id, role },
        value: rssBytes,
      })),
    },
    {
      name: 'roentgen_host_restarts',
      help: 'How often the host of a loaded version had to be started again.',
      samples: hosts.map(({ id, role, restarts }) => ({
        labels: { version: id, role },
        value: restarts,
      })),
    },
    {
      name: 'roentgen_active_version',
      help: '1 for the version that answers for each condition.',
      samples: services.runtime.conditions().map(({ condition, versionId, state, damaged }) => ({
        labels: { condition, version: versionId, state, damaged: String(damaged) },
        value: 1,
      })),
    },
  ]
}

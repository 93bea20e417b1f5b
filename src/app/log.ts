// The log: one JSON line an event on standard error (standard output is for people and for `--json`).
// Never carries a patient's name, an upload's file name or its bytes.
import { destination, type Logger, pino } from 'pino'
import type { Config } from '../config.ts'

export type Log = Logger

export function createLog(level: Config['logLevel']): Log {
  return pino(
    { level, base: null, timestamp: () => `,"time":"${new Date().toISOString()}"` },
    destination(2),
  )
}

// How far something is: a bar on a terminal, a plain line now and then elsewhere. Goes to standard error, so that
// standard output holds results only.
import { SingleBar } from 'cli-progress'
import { printable } from './output.ts'

export interface Progress {
  /** `note` stands beside the bar. */
  update(done: number, total: number, note?: string): void
  /** A line of its own, above the bar. */
  say(text: string): void
  /** Safe to call twice. */
  end(): void
}

/** Plain lines are written at each tenth of the way. */
const PLAIN_STEPS = 10

export function startProgress(title: string, { quiet = false } = {}): Progress {
  if (quiet) return { update() {}, say() {}, end() {} }
  return process.stderr.isTTY ? barProgress(title) : plainProgress(title)
}

function barProgress(title: string): Progress {
  const bar = new SingleBar({
    format: `${title} {bar} {percentage}% {value}/{total} {note}`,
    hideCursor: true,
    clearOnComplete: true,
    stream: process.stderr,
  })
  let started = false
  const end = () => {
    if (started) bar.stop()
    started = false
  }
  return {
    update(done, total, note = '') {
      if (!started) bar.start(total, done, { note })
      started = true
      bar.setTotal(total)
      bar.update(done, { note: printable(note) })
    },
    say(text) {
      end()
      process.stderr.write(`${printable(text)}\n`)
    },
    end,
  }
}

function plainProgress(title: string): Progress {
  let lastStep = -1
  return {
    update(done, total, note = '') {
      const step = Math.floor((done / Math.max(total, 1)) * PLAIN_STEPS)
      if (step < lastStep) lastStep = -1
      if (step === lastStep) return
      lastStep = step
      process.stderr.write(`${title} ${done}/${total} ${printable(note)}`.trimEnd().concat('\n'))
    },
    say(text) {
      process.stderr.write(`${printable(text)}\n`)
    },
    end() {},
  }
}

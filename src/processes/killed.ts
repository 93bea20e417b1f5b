// Whether a child process was ended from outside (a person, a supervisor, the kernel for want of memory) or failed by itself.

/** Signals that a process brings upon itself when its code fails. */
const CRASHES: ReadonlySet<string> = new Set([
  'SIGSEGV',
  'SIGBUS',
  'SIGABRT',
  'SIGILL',
  'SIGFPE',
  'SIGTRAP',
  'SIGSYS',
])

/** False for a crash and for an exit status: then what it worked on may be the reason. */
export function wasKilled(signal: NodeJS.Signals | null): boolean {
  return signal !== null && !CRASHES.has(signal)
}

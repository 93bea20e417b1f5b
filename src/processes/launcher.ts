// Programs of the system that start another one with less: a network of its own with nothing in it, a limit of memory. Both
// replace themselves by what they start, so its process number is the one that was spawned. Tried once, used where they work.
import { spawnSync } from 'node:child_process'

/** A network namespace with nothing but its own, unconnected, loopback. As root no user namespace is needed for it. */
const NO_NETWORK = ['unshare', '--user', '--map-current-user', '--net', '--']
const NO_NETWORK_AS_ROOT = ['unshare', '--net', '--']
const TRY_MS = 2000

export interface Launch {
  /** Private memory that can be written (RLIMIT_DATA): what is asked for beyond it is refused, as when memory has run out. */
  readonly maxDataBytes?: number
}

/** What stands before the command; nothing where the system has neither. */
export function launcherOf({ maxDataBytes }: Launch): readonly string[] {
  const { network, memory } = launchers()
  const limit =
    memory && maxDataBytes !== undefined ? ['prlimit', `--data=${maxDataBytes}`, '--'] : []
  return [...limit, ...network]
}

/** What this system can do, for `roentgen doctor` and for tests. */
export function canConfine(): { readonly network: boolean; readonly memory: boolean } {
  const { network, memory } = launchers()
  return { network: network.length > 0, memory }
}

let tried: { readonly network: readonly string[]; readonly memory: boolean } | undefined

function launchers() {
  tried ??= {
    network: [NO_NETWORK_AS_ROOT, NO_NETWORK].find((command) => works(command)) ?? [],
    memory: works(['prlimit', `--data=${2 ** 30}`, '--']),
  }
  return tried
}

function works([program = '', ...args]: readonly string[]): boolean {
  if (process.platform !== 'linux') return false
  const { status } = spawnSync(program, [...args, 'true'], { stdio: 'ignore', timeout: TRY_MS })
  return status === 0
}

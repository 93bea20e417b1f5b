// How busy this process and the machine were since the last look.
import os from 'node:os'

export interface Load {
  readonly seconds: number
  readonly cpuCores: number
  /** 0 to 1. */
  readonly systemCpu: number
}

export class LoadMeter {
  #at = performance.now()
  #own = process.cpuUsage()
  #machine = machineTimes()

  read(): Load {
    const now = performance.now()
    const seconds = (now - this.#at) / 1000
    const { user, system } = process.cpuUsage(this.#own)
    const machine = machineTimes()
    const all = machine.all - this.#machine.all
    const idle = machine.idle - this.#machine.idle
    this.#at = now
    this.#own = process.cpuUsage()
    this.#machine = machine
    return {
      seconds,
      cpuCores: seconds > 0 ? (user + system) / 1e6 / seconds : 0,
      systemCpu: all > 0 ? Math.min(1, Math.max(0, 1 - idle / all)) : 0,
    }
  }
}

function machineTimes(): { readonly all: number; readonly idle: number } {
  let [all, idle] = [0, 0]
  for (const { times } of os.cpus()) {
    all += times.user + times.nice + times.sys + times.idle + times.irq
    idle += times.idle
  }
  return { all, idle }
}

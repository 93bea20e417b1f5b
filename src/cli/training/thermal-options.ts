// Options of a training that spare the machine: thresholds, duty cycle, threads.
import type { Command } from 'commander'
import type { GivenCooling } from '../../training/thermal/settings.ts'
import { wholeNumber } from '../command.ts'

export interface CoolingOptions {
  readonly pauseAbove?: number
  readonly goOnBelow?: number
  readonly gpuPauseAbove?: number
  readonly gpuGoOnBelow?: number
  readonly dutyCycle?: number
  readonly threads?: number
}

const celsius = wholeNumber(20, 120)

export function addCoolingOptions(command: Command): Command {
  return command
    .option('--pause-above <celsius>', 'of the processor: take a cooling break from here', celsius)
    .option('--go-on-below <celsius>', 'of the processor: go on after a break', celsius)
    .option('--gpu-pause-above <celsius>', 'the same of the graphics card', celsius)
    .option('--gpu-go-on-below <celsius>', 'the same of the graphics card', celsius)
    .option('--duty-cycle <percent>', 'compute only this share of the time', wholeNumber(10, 100))
    .option('--threads <number>', 'use at most so many processors', wholeNumber(1, 1024))
}

/** Undefined when none was given. */
export function coolingOf(o: CoolingOptions): GivenCooling | undefined {
  const given = {
    pauseAboveCelsius: o.pauseAbove,
    goOnBelowCelsius: o.goOnBelow,
    gpuPauseAboveCelsius: o.gpuPauseAbove,
    gpuGoOnBelowCelsius: o.gpuGoOnBelow,
    dutyCycle: o.dutyCycle === undefined ? undefined : o.dutyCycle / 100,
    threads: o.threads,
  }
  const entries = Object.entries(given).filter(([, value]) => value !== undefined)
  return entries.length === 0 ? undefined : (Object.fromEntries(entries) as GivenCooling)
}

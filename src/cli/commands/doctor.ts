// roentgen doctor: is everything here that Roentgen needs, and if not, what to do.
import { constants, existsSync } from 'node:fs'
import { access, statfs } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname } from 'node:path'
import type { Command } from 'commander'
import { findServer } from '../../app/server-file.ts'
import { type Config, readConfig } from '../../config.ts'
import { AppError, isAppError, messageOf } from '../../errors.ts'
import { ImagingPool } from '../../imaging/imaging-pool.ts'
import { encodeIndexedPng } from '../../imaging/indexed-png.ts'
import { isAnswering, withApi } from '../api.ts'
import { command } from '../command.ts'
import { bytesText, printJson, printLine } from '../output.ts'
import { conditions, database, inbox, lostImages, packages } from './doctor-home.ts'

interface Finding {
  readonly check: string
  readonly ok: boolean
  readonly detail: string
}

type Check = (config: Config) => Promise<string>

const MIN_FREE_BYTES = 1024 ** 3

const CHECKS: Readonly<Record<string, Check>> = {
  'model store': ({ modelsDir }) => writable(modelsDir, 'ROENTGEN_MODELS'),
  'data folder': ({ dataDir }) => writable(dataDir, 'ROENTGEN_DATA'),
  'disk space': freeSpace,
  'image decoder': imageDecoder,
  'inference engine': inferenceEngine,
  'training engine': trainingEngine,
  temperatures,
  server,
  database,
  packages,
  conditions,
  inbox,
  'images without a row': lostImages,
}

export function addDoctorCommand(program: Command): void {
  command(program, 'doctor', {
    does: 'Check this machine and this home: database, package files, active versions',
    example: 'roentgen doctor',
  })
    .option(
      '--confirm-clock',
      'say that the clock is right after it has jumped, and check the rest',
    )
    .action(doctor)
}

async function doctor({ json, confirmClock }: { json?: true; confirmClock?: true }): Promise<void> {
  if (confirmClock) {
    await withApi(readConfig(), (api) => api.json('/api/v1/clock/confirm', { method: 'POST' }))
  }
  const findings: Finding[] = [
    {
      check: 'node',
      ok: true,
      detail: `${process.version} on ${process.platform} ${process.arch}`,
    },
  ]
  const config = await attempt(findings, { check: 'settings', look: async () => readConfig() })
  if (config) {
    for (const [check, look] of Object.entries(CHECKS)) {
      await attempt(findings, { check, look: () => look(config) })
    }
  }
  if (json) printJson(findings)
  else {
    for (const { check, ok, detail } of findings) {
      printLine(`${ok ? 'ok     ' : 'PROBLEM'}  ${check.padEnd(16)}  ${detail}`)
    }
  }
  const problems = findings.filter(({ ok }) => !ok).length
  if (problems > 0) {
    const what = problems === 1 ? 'One check' : `${problems} checks`
    throw new AppError('unavailable', `${what} failed; see the advice next to it.`)
  }
}

/** Adds what `look` says, or why it failed, to the findings; the result is what it gave. */
async function attempt<T>(
  findings: Finding[],
  { check, look }: { check: string; look: () => Promise<T> },
): Promise<T | undefined> {
  try {
    const result = await look()
    findings.push({ check, ok: true, detail: typeof result === 'string' ? result : 'readable' })
    return result
  } catch (error) {
    const detail = isAppError(error) ? error.message : `Unexpected: ${messageOf(error)}`
    findings.push({ check, ok: false, detail })
    return undefined
  }
}

/** The folder itself, or the nearest one above that exists and in which it will be made. */
async function writable(folder: string, setting: string): Promise<string> {
  try {
    await access(folder, constants.W_OK | constants.X_OK)
    return 'can be written'
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT' && dirname(folder) !== folder) {
      await writable(dirname(folder), setting)
      return 'created at first start'
    }
    const message = `It cannot be written; change its owner or permissions, or set ${setting}.`
    throw new AppError('unavailable', message, { cause })
  }
}

async function freeSpace({ dataDir }: Config): Promise<string> {
  const { bavail, bsize } = await nearestFileSystem(dataDir)
  const free = bavail * bsize
  if (free >= MIN_FREE_BYTES) return `${bytesText(free)} free`
  throw new AppError(
    'unavailable',
    `Only ${bytesText(free)} are free where the data lies; make room or set ROENTGEN_DATA.`,
  )
}

async function nearestFileSystem(folder: string) {
  try {
    return await statfs(folder)
  } catch (error) {
    if (dirname(folder) === folder) throw error
    return nearestFileSystem(dirname(folder))
  }
}

/** Decodes one pixel in the very process that uploads go through. */
async function imageDecoder({ maxUploadBytes, maxPixels }: Config): Promise<string> {
  const limits = { maxBytes: maxUploadBytes, maxPixels }
  const pool = new ImagingPool({ workers: 1, limits })
  pool.start()
  try {
    const one = { width: 1, height: 1, indices: Uint8Array.of(0) }
    await pool.preview(encodeIndexedPng({ ...one, palette: Uint8Array.of(9, 9, 9, 255) }), {
      maxSide: 16,
    })
    return 'decodes'
  } catch (cause) {
    throw new AppError(
      'unavailable',
      'It does not start; remove node_modules and run "npm start" to install it for this machine.',
      { cause },
    )
  } finally {
    await pool.stop()
  }
}

async function inferenceEngine(): Promise<string> {
  try {
    await import('../../engine/session.ts')
    return 'loads'
  } catch (cause) {
    throw new AppError(
      'unavailable',
      'ONNX Runtime does not load; remove node_modules and run "npm start" to install it for this machine.',
      { cause },
    )
  }
}

/** What ROENTGEN_ENGINE chooses for training, and why. */
/** What a training can be spared by. */
async function temperatures({ thermal }: Config): Promise<string> {
  const { openSensors } = await import('../../training/thermal/sensors.ts')
  const { GpuWatch } = await import('../../training/thermal/nvidia-smi.ts')
  const { list, read } = await openSensors({ root: thermal.sensorsDir, gpus: new GpuWatch() })
  if (list.length === 0) {
    return 'no sensor: trainings take no thermal pauses here; duty cycle and threads can be limited'
  }
  const { cpu, gpu } = await read()
  const parts = [
    `${list.length} ${list.length === 1 ? 'sensor' : 'sensors'}`,
    cpu === null ? '' : `processor ${Math.round(cpu)} °C`,
    gpu === null ? '' : `graphics card ${Math.round(gpu)} °C`,
  ]
  return parts.filter(Boolean).join(', ')
}

async function trainingEngine(config: Config): Promise<string> {
  const { chooseEngine } = await import('../../engine/native/choose-engine.ts')
  const { engine, reason } = await chooseEngine(config)
  return `${engine === 'onnx' ? 'ONNX Runtime' : 'TensorFlow'}: ${reason}`
}

/** A server of this home answers, or one could be started: the home is free and so is its port. */
async function server(config: Config): Promise<string> {
  const running = await findServer(config.dataDir)
  if (running && (await isAnswering(running))) return `running on ${running.address}`
  // Taking the lock makes the folder, which is not a check's business.
  if (existsSync(config.dataDir)) {
    const { lockHome } = await import('../../registry/home/home-lock.ts')
    lockHome(config.dataDir).release()
  }
  const port = await isFree(config)
  if (port) return 'not running; its port is free'
  throw new AppError(
    'unavailable',
    `Port ${config.port} is in use by another program; stop it or set PORT.`,
  )
}

function isFree({ port, host }: Config): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen({ port, host, exclusive: true }, () => probe.close(() => resolve(true)))
  })
}

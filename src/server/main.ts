// The server's life: opens the home, listens at once, says so, and ends in order when it is told to.
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import { type Application, openApplication } from '../app/application.ts'
import { PRODUCT_VERSION } from '../app/product.ts'
import { newToken, removeServerFile, writeServerFile } from '../app/server-file.ts'
import { type Config, readConfig } from '../config.ts'
import { checkNativeEngine } from '../engine/native-engine.ts'
import { AppError, diskFull, isAppError, isDiskFull, messageOf } from '../errors.ts'
import { createApp } from './app.ts'

/** Requests in flight get so long to be answered after the server was told to stop. */
const GRACE_MS = 20_000

/**
 * Serves until SIGTERM or SIGINT; resolves when all is closed.
 * @throws AppError with one sentence when it cannot start
 */
export async function serve(config: Config): Promise<void> {
  checkNativeEngine()
  const told = whenToldToStop()
  const application = await openApplication(config, { isServer: true })
  const token = newToken()
  const app = createApp(application, { token })
  const server = createAdaptorServer({ fetch: app.fetch, hostname: config.host }) as Server
  // A check by HTTP/1.0 names no host; it is taken to mean the one that is listened on.
  // Not by the clock: a large import may take longer than Node's five minutes. Who falls silent is let go by request-body.ts,
  // and who never finishes his headers by headersTimeout.
  server.requestTimeout = 0
  let address: string
  try {
    await listen(server, config)
    address = addressOf(server, config)
    const startedAt = new Date().toISOString()
    const { pid } = process
    await writeServerFile(config.dataDir, {
      address,
      token,
      pid,
      startedAt,
      version: PRODUCT_VERSION,
    })
  } catch (error) {
    // Nothing may stay open: what listens would keep the process, which has no one left to end it.
    server.close()
    server.closeAllConnections()
    await application.close()
    throw isDiskFull(error) ? diskFull(error) : error
  }
  process.stdout.write(`Roentgen listening on ${address}\n`)
  await told
  await stop({ server, application })
  await removeServerFile(config.dataDir, token)
}

async function listen(server: Server, { host, port }: Config): Promise<void> {
  server.listen({ host, port })
  try {
    await once(server, 'listening')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const sentence =
      code === 'EADDRINUSE'
        ? `Port ${port} is in use. Stop the program that uses it, or choose another with PORT=${port + 1}.`
        : code === 'EACCES'
          ? `Port ${port} may not be used by this user; choose one above 1023 with PORT.`
          : code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND'
            ? `This machine has no address "${host}"; set HOST to one that it has.`
            : `Port ${port} on ${host} cannot be opened.`
    throw new AppError('unavailable', sentence, { cause: error })
  }
}

function addressOf(server: Server, { host }: Config): string {
  const { port } = server.address() as AddressInfo
  const name = host.includes(':') ? `[${host}]` : host
  return `http://${name}:${port}`
}

/** No new connections; what is being answered is finished; then hosts, workers, registry and lock. */
async function stop({
  server,
  application,
}: {
  server: Server
  application: Application
}): Promise<void> {
  application.leave()
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  const timer = setTimeout(() => server.closeAllConnections(), GRACE_MS)
  const sweep = setInterval(() => server.closeIdleConnections(), 100)
  await closed
  clearTimeout(timer)
  clearInterval(sweep)
  await application.close()
}

/** A second signal ends the process at once: somebody is in a hurry. */
function whenToldToStop(): Promise<void> {
  return new Promise((resolve) => {
    let told = false
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        if (told) process.exit(1)
        told = true
        resolve()
      })
    }
  })
}

if (import.meta.main) {
  try {
    await serve(readConfig())
    process.exit(0)
  } catch (error) {
    const sentence = isAppError(error)
      ? error.message
      : `Roentgen cannot start: ${messageOf(error)}`
    process.stderr.write(`roentgen: ${sentence}\n`)
    process.exit(1)
  }
}

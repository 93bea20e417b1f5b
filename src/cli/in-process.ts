// The home opened by this very process, for when no server runs: the same app, called without a socket.

import { openApplication } from '../app/application.ts'
import { createLog } from '../app/log.ts'
import { newToken } from '../app/server-file.ts'
import type { Config } from '../config.ts'
import { addVersion } from '../registry/versions/add-version.ts'
import type { Version } from '../registry/versions/versions.ts'
import { createApp } from '../server/app.ts'

/** Nobody listens there; the app checks the name of the host all the same. */
const ORIGIN = 'http://127.0.0.1'

/** Holds the home's lock until `close`. @throws AppError `home-in-use`, `unavailable` */
export async function openInProcess(config: Config) {
  // What goes wrong is said once, by the command; the log is for whoever asked for it.
  const log = createLog(config.logLevel === 'debug' ? 'debug' : 'silent')
  const home = await openApplication(config, { isServer: false, log })
  const token = newToken()
  const app = createApp(home, { token })
  return {
    origin: ORIGIN,
    token,
    send: async (request: Request): Promise<Response> => app.fetch(request),
    /** A finished package of this machine, without a detour over an upload and its limits. */
    register: async (fromDir: string, by: string): Promise<Version> => {
      await home.waitUntilRecovered()
      return (await addVersion(home, { fromDir, actor: { by, via: 'cli' } })).version
    },
    close: () => home.close(),
  }
}

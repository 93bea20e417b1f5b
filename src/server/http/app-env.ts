// What travels with a request inside the app.
import type { Actor } from '../../registry/home/registry-context.ts'

export interface AppEnv {
  Variables: {
    /** Who acts: `local` while there are no users, or who the command line says. */
    actor: Actor
    /** Address of whoever asks, behind proxies that are trusted; undefined within this process. */
    client: string | undefined
    /** Shown on top of every page, when there is something that everyone should know. */
    notice: string | undefined
  }
}

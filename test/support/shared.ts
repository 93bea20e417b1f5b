// Where the real images and models lie that are not part of the product; tests that use them skip when they are absent.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const SHARED = fileURLToPath(new URL('../../../shared/', import.meta.url))

/** Absolute path of a file or folder beside the checkout, or undefined when it is not there. */
export function sharedPath(relative: string): string | undefined {
  const path = SHARED + relative
  return existsSync(path) ? path : undefined
}

/** For `test(title, { skip: skipWithout('data/…') }, …)`: false when present, else the reason that is printed. */
export function skipWithout(relative: string): string | false {
  return sharedPath(relative)
    ? false
    : `needs ../shared/${relative}, which is not beside this checkout`
}

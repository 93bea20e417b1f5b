// Which work a change in the model store calls for, by the place of the file that changed. Pure.
import { isName, type VersionRef } from '../../package/ids.ts'
import { numberOf } from '../versions/scan-store.ts'

export type Work =
  | { readonly kind: 'pointer'; readonly condition: string }
  | { readonly kind: 'inbox' }
  | { readonly kind: 'package'; readonly ref: VersionRef }

/** `path` is relative to the model store, with `/`. undefined: nothing to do. */
export function workFor(path: string): Work | undefined {
  const [first = '', second = '', third = ''] = path.split('/')
  if (first === 'inbox') return second === '' ? undefined : { kind: 'inbox' }
  if (!isName(first)) return undefined
  if (second === 'active.json') return { kind: 'pointer', condition: first }
  const n = numberOf(third)
  return isName(second) && n !== undefined
    ? { kind: 'package', ref: { condition: first, name: second, n } }
    : undefined
}

/** Folders that hold nothing to look at, and files that are still being written. */
export function isIgnored(path: string): boolean {
  const [first = ''] = path.split('/')
  const last = path.slice(path.lastIndexOf('/') + 1)
  return first === 'logs' || (path !== '' && (first.startsWith('.') || last.startsWith('.')))
}

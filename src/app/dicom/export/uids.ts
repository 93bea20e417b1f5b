// UIDs of what Roentgen makes: derived, not drawn, so that the same result sent twice is the same object to an archive.
import { createHash } from 'node:crypto'

/** Under 2.25 (PS3.5 B.2): a name-based UUID (RFC 9562, version 8) as a decimal number. */
export function derivedUid(...parts: readonly string[]): string {
  const digest = createHash('sha256').update(parts.join('\0')).digest().subarray(0, 16)
  digest[6] = ((digest[6] ?? 0) & 0x0f) | 0x80
  digest[8] = ((digest[8] ?? 0) & 0x3f) | 0x80
  return `2.25.${BigInt(`0x${digest.toString('hex')}`)}`
}

export const SOP_CLASS = {
  secondaryCapture: '1.2.840.10008.5.1.4.1.1.7',
  comprehensive3dSr: '1.2.840.10008.5.1.4.1.1.88.34',
} as const

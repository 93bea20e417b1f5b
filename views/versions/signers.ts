// Who signed a package, and whether this home trusts the key.
import { html } from 'hono/html'
import type { Signer } from '../../src/registry/versions/trusted-keys.ts'
import { badge, type Html } from '../shared/components.ts'

export type SignerList = readonly Signer[] | 'damaged'

/** undefined: nobody signed it, as most packages. */
export function signerWords(signers: SignerList): Html | undefined {
  if (signers === 'damaged') return badge('invalid signature', 'bad', 'cross')
  if (signers.length === 0) return undefined
  return html`<ul class="plain">${signers.map(
    ({
      name,
      fingerprint,
      state,
    }) => html`<li>${name ?? html`<code>${fingerprint.slice(0, 16)}</code>`}
    ${badge(state, state === 'trusted' ? 'good' : state === 'revoked' ? 'bad' : 'warn', state === 'trusted' ? 'check' : 'warning')}</li>`,
  )}</ul>`
}

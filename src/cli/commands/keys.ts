// roentgen keys new | list | trust | revoke | sign: who vouches for packages.
import { readFile, writeFile } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import type { Command } from 'commander'
import { readConfig } from '../../config.ts'
import { AppError } from '../../errors.ts'
import { formatVersion, versionPath } from '../../package/ids.ts'
import type { Signer, TrustedKey } from '../../registry/versions/trusted-keys.ts'
import { withApi } from '../api.ts'
import { command } from '../command.ts'
import { versionNamed } from '../named-version.ts'
import { printJson, printLine, printTable } from '../output.ts'
import { refuseExisting } from '../save-response.ts'

interface Json {
  readonly json?: true
}

/** Digits of a fingerprint that are shown. */
const SHORT = 16

export function addKeysCommands(program: Command): void {
  const group = program
    .command('keys')
    .description('Signing keys for packages: create, list, trust, revoke, sign')
    .helpCommand(false)

  command(group, 'new <name>', {
    does: 'Create an Ed25519 signing key; its public key is trusted here and written for others',
    example: 'roentgen keys new radiology-a --out radiology-a.pub.pem',
  })
    .option('-o, --out <file>', 'output file for the public key')
    .action(make)

  command(group, 'list', {
    does: 'List trusted and revoked keys',
    example: 'roentgen keys list',
  }).action(list)

  command(group, 'trust <file>', {
    does: 'Trust the public key in a PEM file',
    example: 'roentgen keys trust radiology-a.pub.pem --name "Radiology A"',
  })
    .requiredOption('--name <name>', 'owner of the key')
    .action(trust)

  command(group, 'revoke <key>', {
    does: 'Revoke a key by name or fingerprint prefix',
    example: 'roentgen keys revoke "Radiology A" --reason "laptop lost"',
  })
    .requiredOption('--reason <text>', 'why')
    .action(revoke)

  command(group, 'sign <version>', {
    does: 'Sign a package with a key of this home; exports then carry the signature',
    example: 'roentgen keys sign pneumonia/densenet121-standard@3 --key radiology-a',
  })
    .requiredOption('--key <name>', 'a key created here')
    .action(sign)
}

async function make(name: string, { json, out }: Json & { out?: string }): Promise<void> {
  if (out !== undefined) await refuseExisting(resolve(out), {})
  const key = await withApi(readConfig(), (api) =>
    api.json<TrustedKey>('/api/v1/keys', { body: { name } }),
  )
  if (out !== undefined) await writeFile(resolve(out), pemOf(key.publicKey))
  if (json) return printJson(key)
  printLine(`The key "${key.name}" created: ${key.fingerprint}`)
  printLine('The private key stays in the data folder of this home and is not included in backups.')
  if (out !== undefined) printLine(`Give ${basename(out)} to anyone who should trust it.`)
}

async function list({ json }: Json): Promise<void> {
  const found = await withApi(readConfig(), (api) =>
    api.json<{ items: TrustedKey[] }>('/api/v1/keys'),
  )
  if (json) return printJson(found)
  printTable(
    found.items.map(({ name, fingerprint, revokedAt, revokedReason, at, by }) => {
      const state = revokedAt === null ? 'trusted' : `revoked: ${revokedReason}`
      return [name, fingerprint.slice(0, SHORT), state, at.slice(0, 10), by]
    }),
    { columns: ['name', 'fingerprint', 'state', 'since', 'by'], none: 'No trusted keys.' },
  )
}

async function trust(file: string, { json, name }: Json & { name: string }): Promise<void> {
  const publicKey = await readFile(resolve(file), 'utf8').catch((cause: unknown) => {
    throw new AppError('invalid', `"${basename(file)}" does not exist or is not readable.`, {
      cause,
    })
  })
  const body = { name, publicKey: publicKey.slice(0, 2000) }
  const key = await withApi(readConfig(), (api) =>
    api.json<TrustedKey>('/api/v1/keys/trust', { body }),
  )
  if (json) return printJson(key)
  printLine(`"${key.name}" is trusted: ${key.fingerprint}`)
}

async function revoke(text: string, { json, reason }: Json & { reason: string }): Promise<void> {
  const path = `/api/v1/keys/${encodeURIComponent(text)}/revoke`
  const key = await withApi(readConfig(), (api) => api.json<TrustedKey>(path, { body: { reason } }))
  if (json) return printJson(key)
  printLine(`"${key.name}" is revoked.`)
}

async function sign(id: string, { json, key }: Json & { key: string }): Promise<void> {
  const answer = await withApi(readConfig(), async (api) => {
    const ref = await versionNamed(api, id)
    const path = `/api/v1/versions/${versionPath(ref)}/sign`
    const { items } = await api.json<{ items: Signer[] }>(path, { body: { key } })
    return { version: formatVersion(ref), signers: items }
  })
  if (json) return printJson(answer)
  printLine(`${answer.version} is signed by ${answer.signers.map(signerText).join(', ')}.`)
}

function signerText({ name, fingerprint, state }: Signer): string {
  return `${name ?? fingerprint.slice(0, SHORT)} (${state})`
}

/** RFC 7468. */
function pemOf(base64: string): string {
  const lines = base64.match(/.{1,64}/g) ?? []
  return `-----BEGIN PUBLIC KEY-----\n${lines.join('\n')}\n-----END PUBLIC KEY-----\n`
}

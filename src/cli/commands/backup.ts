// roentgen backup | restore: the whole home as one file, and back into an empty one.
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdtemp, open, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Command } from 'commander'
import { readConfig } from '../../config.ts'
import { AppError, diskFull, isDiskFull } from '../../errors.ts'
import { makeFolders } from '../../package/make-folders.ts'
import type { BackupHoldings } from '../../registry/home/backup.ts'
import { decrypted, encrypting, isEncrypted } from '../../registry/home/encrypted-file.ts'
import { withApi } from '../api.ts'
import { command } from '../command.ts'
import { bytesText, printJson, printLine } from '../output.ts'
import { askPassphrase } from '../passphrase.ts'
import { refuseExisting, saveResponse } from '../save-response.ts'

const PASSPHRASE_FILE = 'file whose first line is the passphrase; without it you are asked'

export function addBackupCommands(program: Command): void {
  command(program, 'backup [file]', {
    does: 'Save the registry, all packages and stored images as one zip, also while the server runs',
    example: 'roentgen backup --encrypt roentgen-monday.zip.enc',
  })
    .option('--force', 'overwrite an existing file')
    .option('--encrypt', 'encrypt it with a passphrase')
    .option('--passphrase-file <file>', PASSPHRASE_FILE)
    .action(backup)
  command(program, 'restore <file>', {
    does: 'Restore a backup into an empty home; stop the server first',
    example: 'roentgen restore roentgen-monday.zip.enc',
  })
    .option('--passphrase-file <file>', PASSPHRASE_FILE)
    .action(restore)
}

interface BackupFlags {
  readonly json?: true
  readonly force?: true
  readonly encrypt?: true
  readonly passphraseFile?: string
}

async function backup(name: string | undefined, flags: BackupFlags): Promise<void> {
  const { json, force, encrypt, passphraseFile } = flags
  if (passphraseFile !== undefined && !encrypt) {
    throw new AppError('invalid', 'A passphrase is given, but not --encrypt.')
  }
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(':', '')
  const file = resolve(name ?? `roentgen-backup-${stamp}Z.zip${encrypt ? '.enc' : ''}`)
  await refuseExisting(file, { force })
  const through = encrypt
    ? await encrypting(await askPassphrase({ file: passphraseFile, isNew: true }))
    : undefined
  const { bytes, holds } = await withApi(readConfig(), async (api) => {
    const response = await api.file('/api/v1/backup')
    const holds = JSON.parse(response.headers.get('x-roentgen-holds') ?? '{}') as BackupHoldings
    return { bytes: await saveResponse(response, file, { through }), holds }
  })
  if (json) return printJson({ file, bytes, encrypted: encrypt === true, holds })
  printLine(`Saved to ${basename(file)} (${bytesText(bytes)}).`)
  printLine(secretsOf(holds, encrypt === true))
  printLine(`To restore it into an empty home: roentgen restore ${basename(file)}`)
}

function secretsOf(holds: BackupHoldings, isEncrypted: boolean): string {
  const { predictions, images, comments, addresses, signingSecrets } = holds
  const what = `It holds ${predictions} predictions, ${images} images of patients, ${comments} comments, ${addresses} notification addresses and ${signingSecrets} signing secrets of notifications`
  return isEncrypted
    ? `${what}; it cannot be read without the passphrase.`
    : `${what}, readable by anyone who has the file; --encrypt encrypts it.`
}

async function restore(
  name: string,
  { json, passphraseFile }: { json?: true; passphraseFile?: string },
): Promise<void> {
  const file = resolve(name)
  await stat(file).catch((cause: unknown) => {
    throw new AppError('invalid', `"${basename(file)}" does not exist or is not readable.`, {
      cause,
    })
  })
  const { restoreBackup } = await import('../../registry/home/restore.ts')
  const restored = await withPlainFile(file, {
    passphraseFile,
    work: (plain) => restoreBackup(plain, readConfig()),
  })
  if (json) return printJson(restored)
  printLine(
    `Restored ${restored.versions} versions and ${restored.files} files, as they were at ${restored.createdAt}.`,
  )
  printLine('To check every package: roentgen verify')
}

/** An encrypted one is opened beside the data folder, for this user only, and removed again. */
async function withPlainFile<T>(
  file: string,
  o: { passphraseFile: string | undefined; work: (plain: string) => Promise<T> },
): Promise<T> {
  if (!isEncrypted(await startOf(file))) return o.work(file)
  const passphrase = await askPassphrase({ file: o.passphraseFile, isNew: false })
  const { dataDir } = readConfig()
  makeFolders(dirname(dataDir))
  const folder = await mkdtemp(join(dirname(dataDir), '.roentgen-restore-')).catch((cause) => {
    throw new AppError('unavailable', 'The folder of ROENTGEN_DATA cannot be written.', { cause })
  })
  try {
    const plain = join(folder, 'backup.zip')
    const to = createWriteStream(plain, { mode: 0o600 })
    await pipeline(decrypted(createReadStream(file), passphrase), to)
    return await o.work(plain)
  } catch (error) {
    throw isDiskFull(error) ? diskFull(error) : error
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function startOf(file: string): Promise<Uint8Array> {
  const handle = await open(file, 'r')
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(16), 0, 16, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await handle.close()
  }
}

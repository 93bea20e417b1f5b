// roentgen backup | restore: the whole home as one file, and back into an empty one.
import { stat } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import type { Command } from 'commander'
import { readConfig } from '../../config.ts'
import { AppError } from '../../errors.ts'
import { withApi } from '../api.ts'
import { command } from '../command.ts'
import { bytesText, printJson, printLine } from '../output.ts'
import { refuseExisting, saveResponse } from '../save-response.ts'

export function addBackupCommands(program: Command): void {
  command(program, 'backup [file]', {
    does: 'Save the registry, all packages and stored images as one zip, also while the server runs',
    example: 'roentgen backup roentgen-monday.zip',
  })
    .option('--force', 'overwrite an existing file')
    .action(backup)
  command(program, 'restore <file>', {
    does: 'Restore a backup into an empty home; stop the server first',
    example: 'roentgen restore roentgen-monday.zip',
  }).action(restore)
}

async function backup(
  name: string | undefined,
  { json, force }: { json?: true; force?: true },
): Promise<void> {
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(':', '')
  const file = resolve(name ?? `roentgen-backup-${stamp}Z.zip`)
  await refuseExisting(file, { force })
  const bytes = await withApi(readConfig(), async (api) =>
    saveResponse(await api.file('/api/v1/backup'), file),
  )
  if (json) return printJson({ file, bytes })
  printLine(`Saved to ${basename(file)} (${bytesText(bytes)}).`)
  printLine(`To restore it into an empty home: roentgen restore ${basename(file)}`)
}

async function restore(name: string, { json }: { json?: true }): Promise<void> {
  const file = resolve(name)
  await stat(file).catch((cause: unknown) => {
    throw new AppError('invalid', `"${basename(file)}" does not exist or is not readable.`, {
      cause,
    })
  })
  const { restoreBackup } = await import('../../registry/home/restore.ts')
  const restored = await restoreBackup(file, readConfig())
  if (json) return printJson(restored)
  printLine(
    `Restored ${restored.versions} versions and ${restored.files} files, as they were at ${restored.createdAt}.`,
  )
  printLine('To check every package: roentgen verify')
}

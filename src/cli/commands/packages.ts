// roentgen import | export | verify: packages that come, go, and are checked.
import { openAsBlob } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import type { Command } from 'commander'
import { type Config, readConfig } from '../../config.ts'
import { AppError, isAppError } from '../../errors.ts'
import { parseVersion, versionPath } from '../../package/ids.ts'
import type { GoldenReplay } from '../../registry/versions/replay-golden.ts'
import type { Version } from '../../registry/versions/versions.ts'
import { type Api, withApi } from '../api.ts'
import { command, query } from '../command.ts'
import { versionNamed } from '../named-version.ts'
import { bytesText, printJson, printLine } from '../output.ts'
import { startProgress } from '../progress.ts'
import { refuseExisting, saveResponse } from '../save-response.ts'
import { textOrFile } from '../text-or-file.ts'

const FOREIGN_FIELDS = [
  'condition',
  'name',
  'classes',
  'kind',
  'preprocessing',
  'architecture',
  'outputs',
  'unitClass',
] as const

type ImportOptions = { readonly json?: true } & {
  readonly [field in (typeof FOREIGN_FIELDS)[number]]?: string
}

export function addPackageCommands(program: Command): void {
  command(program, 'import <file>', {
    does: 'Register a package (.roentgen.zip) or a foreign model; a folder is zipped first. It stays inactive until activated.',
    example:
      'roentgen import model.onnx --condition pneumonia --name ours --classes "NORMAL,*PNEUMONIA" --preprocessing torch',
  })
    .option('--condition <id>', 'for a foreign model: condition')
    .option('--name <name>', 'for a foreign model: name')
    .option(
      '--classes <list>',
      'for a foreign model: labels in output order, positive findings marked with *',
    )
    .option('--kind <kind>', 'for a foreign model: binary, single-label or multi-label')
    .option(
      '--preprocessing <what>',
      'for a foreign model: tf, torch, caffe, unit, raw, xrv, or a JSON file',
    )
    .option('--architecture <name>', 'for a foreign model: architecture')
    .option(
      '--outputs <what>',
      'for a foreign model: logits, probabilities or auto (default: what the graph and its answers show)',
    )
    .option(
      '--unit-class <label>',
      'for a binary model with one output: the class whose probability it is (default: the second of --classes)',
    )
    .action(importFile)

  command(program, 'export <version>', {
    does: 'Write a version as one .roentgen.zip',
    example: 'roentgen export pneumonia/densenet121-standard@3 --out backup.roentgen.zip',
  })
    .option('-o, --out <file>', 'output file; default: its name in the current folder')
    .option('--force', 'overwrite the file')
    .action(exportVersion)

  command(program, 'verify [version...]', {
    does: 'Hash every file of registered packages, all or the named ones, and compare with their manifests',
    example: 'roentgen verify pneumonia/densenet121-standard@3',
  }).action(verify)
}

async function importFile(path: string, options: ImportOptions): Promise<void> {
  const info = await stat(path).catch((cause: unknown) => {
    throw new AppError('invalid', `"${basename(path)}" does not exist or is not readable.`, {
      cause,
    })
  })
  const { zipFolder } = await import('../folder-zip.ts')
  const folder = info.isDirectory() ? await zipFolder(path) : undefined
  try {
    const form = new FormData()
    const fileName = folder ? `${basename(resolve(path))}.zip` : basename(path)
    form.set('package', await openAsBlob(folder?.path ?? path), fileName)
    for (const field of FOREIGN_FIELDS) {
      const value = options[field]
      if (value !== undefined) form.set(field, await textOrFile(value))
    }
    const version = await withApi(readConfig(), (api) =>
      api.form<Version & { goldenReplay: GoldenReplay | null }>('/api/v1/versions/import', form),
    )
    if (options.json) return printJson(version)
    printLine(`${version.id} is registered (${version.status}).`)
    if (version.goldenReplay?.ok === false) {
      printLine(`Golden images are not reproduced on this machine: ${version.goldenReplay.detail}`)
    }
    printLine(`To activate it: roentgen activate ${version.id} --reason "…"`)
  } finally {
    await folder?.remove()
  }
}

async function exportVersion(
  id: string,
  { json, out, force }: { json?: true; out?: string; force?: true },
): Promise<void> {
  const { file, bytes } = await withApi(readConfig(), async (api) => {
    const ref = await versionNamed(api, id)
    const file = resolve(out ?? `${ref.condition}-${ref.name}-v${ref.n}.roentgen.zip`)
    await refuseExisting(file, { force })
    const response = await api.file(`/api/v1/versions/${versionPath(ref)}/export`)
    return { file, bytes: await saveResponse(response, file) }
  })
  if (json) return printJson({ version: id, file, bytes })
  printLine(`${id} written to ${basename(file)} (${bytesText(bytes)}).`)
}

async function verify(ids: readonly string[], { json }: { json?: true }): Promise<void> {
  const config = readConfig()
  const versions = await withApi(config, (api) => listedVersions(api, ids))
  const progress = startProgress('verified', { quiet: json === true })
  const results = []
  for (const [i, version] of versions.entries()) {
    const result = await verifyPackageOf(config, version)
    results.push(result)
    progress.update(i + 1, versions.length, version.id)
  }
  progress.end()
  if (json) printJson(results)
  else {
    for (const { version, ok, detail } of results) {
      printLine(`${ok ? 'intact ' : 'DAMAGED'}  ${version}  ${detail}`)
    }
  }
  const damaged = results.filter(({ ok }) => !ok).length
  if (damaged > 0) {
    throw new AppError('hash-mismatch', `${damaged} of ${results.length} packages are damaged.`)
  }
  if (!json) printLine(`${results.length} packages are intact.`)
}

/** The named versions, or all that are not deleted. */
export async function listedVersions(api: Api, ids: readonly string[]): Promise<Version[]> {
  if (ids.length > 0) {
    return Promise.all(
      ids.map(async (id) => {
        const path = versionPath(await versionNamed(api, id))
        return api.json<Version>(`/api/v1/versions/${path}`)
      }),
    )
  }
  const found: Version[] = []
  let cursor: string | undefined
  do {
    const page: { items: Version[]; nextCursor: string | null } = await api.json(
      `/api/v1/versions${query({ limit: 200, cursor })}`,
    )
    found.push(...page.items)
    cursor = page.nextCursor ?? undefined
  } while (cursor !== undefined)
  return found
}

/** Hashes every file; without a digest the package is held against its own manifest. */
export async function verifyPackageOf(
  { modelsDir }: Config,
  { id, sha256 }: { readonly id: string; readonly sha256: string | undefined },
) {
  const { verifyPackage } = await import('../../package/verify-package.ts')
  const { condition, name, n } = parseVersion(id)
  try {
    const dir = join(modelsDir, condition, name, `v${n}`)
    const { sizeBytes } = await verifyPackage(
      dir,
      sha256 === undefined ? {} : { expectedSha256: sha256 },
    )
    return { version: id, ok: true, detail: bytesText(sizeBytes) }
  } catch (error) {
    if (!isAppError(error)) throw error
    return { version: id, ok: false, detail: error.message }
  }
}

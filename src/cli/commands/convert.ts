// roentgen convert: a registered version, or a model file, in another format.
import { copyFile, readdir, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { readConfig } from '../../config.ts'
import { convertApart } from '../../conversion/convert/convert-process.ts'
import type { ModelFormat } from '../../conversion/convert/write-model.ts'
import { AppError } from '../../errors.ts'
import { parseVersion, versionPath } from '../../package/ids.ts'
import { readManifest } from '../../package/manifest.ts'
import { verifyPackage } from '../../package/verify-package.ts'
import type { Version } from '../../registry/versions/versions.ts'
import { withApi } from '../api.ts'
import { command } from '../command.ts'
import { bytesText, printJson, printLine } from '../output.ts'
import { refuseExisting } from '../save-response.ts'

/** As MODEL_FORMATS, which would load TF.js for every command's help. */
const FORMATS: readonly ModelFormat[] = ['keras', 'h5', 'weights.h5', 'tfjs', 'onnx']

interface Options {
  readonly json?: true
  readonly to: ModelFormat
  readonly out: string
  readonly force?: true
}

export function addConvertCommand(program: Command): void {
  command(program, 'convert <version|file>', {
    does: 'Write a version, a Keras file or a TF.js model in another format: for Keras (.keras, .h5, .weights.h5), TF.js or ONNX.',
    example: 'roentgen convert pneumonia/densenet121-standard@3 --to keras --out model.keras',
  })
    .addOption(
      new Option('--to <format>', 'output format').choices([...FORMATS]).makeOptionMandatory(),
    )
    .requiredOption('-o, --out <file>', 'output path; for tfjs a folder')
    .option('--force', 'overwrite existing files')
    .action(convert)
}

async function convert(source: string, { json, to, out, force }: Options): Promise<void> {
  const file = resolve(out)
  await refuseExisting(file, { force })
  const isFile = (await stat(source).catch(() => undefined)) !== undefined
  if (isFile) await convertApart({ from: { path: resolve(source) }, to, out: file })
  else await fromVersion(source, { to, file })
  const bytes = await sizeOf(file)
  if (json) return printJson({ source, to, file, bytes })
  printLine(`${basename(source)} written to ${basename(file)} (${bytesText(bytes)}).`)
}

interface Target {
  readonly to: ModelFormat
  readonly file: string
}

/** Only from a package that is intact. */
async function fromVersion(id: string, target: Target): Promise<void> {
  const ref = versionOrFile(id)
  const config = readConfig()
  const { sha256 } = await withApi(config, (api) =>
    api.json<Version>(`/api/v1/versions/${versionPath(ref)}`),
  )
  const dir = join(config.modelsDir, ref.condition, ref.name, `v${ref.n}`)
  await verifyPackage(dir, { expectedSha256: sha256 })
  const { manifest } = await readManifest(dir)
  const graph = `models/${manifest.name}.onnx`
  if (target.to === 'onnx' && manifest.files.some(({ path }) => path === graph)) {
    return copyFile(join(dir, graph), target.file)
  }
  await convertApart({ from: { packageDir: dir }, to: target.to, out: target.file })
}

function versionOrFile(source: string): ReturnType<typeof parseVersion> {
  if (/@\d+$/.test(source)) return parseVersion(source)
  throw new AppError(
    'invalid',
    `"${basename(source)}" is neither a file nor a version such as pneumonia/custom-cnn-quick@1.`,
  )
}

async function sizeOf(path: string): Promise<number> {
  const info = await stat(path)
  if (!info.isDirectory()) return info.size
  const sizes = await Promise.all((await readdir(path)).map((name) => sizeOf(join(path, name))))
  return sizes.reduce((sum, size) => sum + size, 0)
}

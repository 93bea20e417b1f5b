// Other people's DICOM readers, where a machine has them: dcmtk's dcmdump and dsrdump, and pydicom. Undefined where it has not.
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

const PYDICOM = `
import sys, pydicom
data = pydicom.dcmread(sys.argv[1])
print(data.PatientName, data.StudyInstanceUID, data.SOPClassUID.name, sep='|')
if 'PixelData' in data: print(data.pixel_array.shape, int(data.pixel_array.sum()))
`

export interface Readers {
  dcmdump(bytes: Uint8Array): string | undefined
  dsrdump(bytes: Uint8Array): string | undefined
  pydicom(bytes: Uint8Array): string | undefined
}

/** PYTHON names the Python that is asked for pydicom. */
export async function dicomReaders(t: TestContext): Promise<Readers> {
  const folder = await mkdtemp(join(tmpdir(), 'roentgen-dicom-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'object.dcm')
  const ask = (program: string, args: readonly string[], bytes: Uint8Array) => {
    writeFileSync(file, bytes)
    const { status, stdout, stderr, error } = spawnSync(program, [...args, file], {
      encoding: 'utf8',
      env: { ...process.env, PYTHONIOENCODING: 'utf-8' },
    })
    const isMissing = error !== undefined || /No module named/.test(stderr)
    if (isMissing) {
      t.diagnostic(`skipped: ${program} is not there, or not with what is needed`)
      return undefined
    }
    // dcmtk does not check text in Unicode, and says so.
    const said = `${stdout}${stderr}`.replace(/^W: The VR checker does not support.*$/m, '')
    return status === 0 ? said : `failed: ${said}`
  }
  const python = process.env.PYTHON ?? 'python3'
  return {
    dcmdump: (bytes) => ask('dcmdump', ['-q'], bytes),
    dsrdump: (bytes) => ask('dsrdump', ['+Pc'], bytes),
    pydicom: (bytes) => ask(python, ['-c', PYDICOM], bytes),
  }
}

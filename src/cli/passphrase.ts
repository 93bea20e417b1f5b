// A passphrase: typed without being shown, or the first line of a file. Never an argument, which others on the machine can read.
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { AppError } from '../errors.ts'

export interface PassphraseOptions {
  /** A file whose first line it is. */
  readonly file?: string | undefined
  /** Asked for a second time, as a new one. */
  readonly isNew: boolean
}

/** @throws AppError `invalid` when there is none, or the second is another one */
export async function askPassphrase({ file, isNew }: PassphraseOptions): Promise<string> {
  if (file !== undefined) {
    const text = await readFile(file, 'utf8').catch((cause: unknown) => {
      throw new AppError('invalid', `"${basename(file)}" is not there or not readable.`, { cause })
    })
    return text.split(/\r?\n/, 1)[0] ?? ''
  }
  if (!process.stdin.isTTY) {
    throw new AppError(
      'invalid',
      'A passphrase is needed: add --passphrase-file with a file that holds it.',
    )
  }
  const given = await typed('Passphrase: ')
  if (isNew && (await typed('Again: ')) !== given) {
    throw new AppError('invalid', 'The two passphrases differ; nothing was saved.')
  }
  return given
}

function typed(question: string): Promise<string> {
  const { stdin, stderr } = process
  stderr.write(question)
  stdin.setRawMode(true)
  stdin.setEncoding('utf8')
  stdin.resume()
  return new Promise((resolve, reject) => {
    let text = ''
    const end = (finish: () => void) => {
      stdin.off('data', onData)
      stdin.setRawMode(false)
      stdin.pause()
      stderr.write('\n')
      finish()
    }
    const onData = (keys: string) => {
      for (const key of keys) {
        if (key === '\r' || key === '\n') return end(() => resolve(text))
        if (key === '\u0003') return end(() => reject(new AppError('invalid', 'Nothing was done.')))
        if (key === '\u007f' || key === '\b') text = text.slice(0, -1)
        else if (key >= ' ') text += key
      }
    }
    stdin.on('data', onData)
  })
}

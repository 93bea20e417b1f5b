// The last bytes of a stream of text: the reason that a child process leaves behind when it dies.
export class TextTail {
  readonly #limit: number
  #bytes: Buffer = Buffer.alloc(0)

  /** Keeps at most `limitBytes`. */
  constructor(limitBytes: number) {
    this.#limit = limitBytes
  }

  push(chunk: Uint8Array): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]).subarray(-this.#limit)
  }

  text(): string {
    return this.#bytes.toString('utf8').trim()
  }

  /** The last line that says something, cut to 200 characters and cleared of paths, fit for a page. */
  lastLine(): string {
    const lines = this.text()
      .split('\n')
      .map((line) => line.trim())
    const line = lines.findLast((one) => one !== '' && !one.startsWith('Node.js v')) ?? ''
    return line.replaceAll(/(?:file:\/\/)?(?:[A-Za-z]:)?[\\/][^\s'")]+/g, '…').slice(0, 200)
  }
}

// The way to the home: the HTTP interface of CONTRACT section 2, of the running server, or without one of the same
// app inside this process. So a command does the same in both cases, and only one process writes a home.
import { openAsBlob } from 'node:fs'
import { rm } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { findServer, type ServerFile } from '../app/server-file.ts'
import type { Config } from '../config.ts'
import { AppError, ERROR_CODES, type ErrorCode } from '../errors.ts'
import type { Version } from '../registry/versions/versions.ts'

const ANSWER_MS = 3000

/** Who stands in the history as the one that did it. */
const PERSON = personName()

type Send = (request: Request) => Promise<Response>
type Register = (fromDir: string, by: string) => Promise<Version>

/** Requests to one home. @throws AppError with the words of the problem document, whichever method */
export class Api {
  readonly #send: Send
  readonly #origin: string
  readonly #token: string
  readonly #register: Register | undefined
  readonly #close: () => Promise<void>
  /** False when this process itself holds the home. */
  readonly isRemote: boolean

  constructor(way: {
    send: Send
    origin: string
    token: string
    isRemote: boolean
    register?: Register
    close: () => Promise<void>
  }) {
    this.#send = way.send
    this.#origin = way.origin
    this.#token = way.token
    this.#register = way.register
    this.#close = way.close
    this.isRemote = way.isRemote
  }

  /** The parsed answer. `body` makes it a POST of JSON, unless `method` says otherwise. */
  async json<T>(
    path: string,
    { method, body }: { method?: string; body?: unknown } = {},
  ): Promise<T> {
    const init: RequestInit = { method: method ?? (body === undefined ? 'GET' : 'POST') }
    if (body !== undefined) {
      init.body = JSON.stringify(body)
      init.headers = { 'content-type': 'application/json' }
    }
    return (await (await this.#ask(path, init)).json()) as T
  }

  /** The answer to a POST of JSON, line by line as it comes. */
  async *lines<T>(path: string, body: unknown): AsyncGenerator<T> {
    const headers = { 'content-type': 'application/json' }
    const init = { method: 'POST', body: JSON.stringify(body), headers }
    const { body: stream } = await this.#ask(path, init)
    if (!stream) return
    let rest = ''
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      const parts = (rest + text).split('\n')
      rest = parts.pop() ?? ''
      for (const part of parts) yield JSON.parse(part) as T
    }
  }

  /** Sends a form with files. */
  async form<T>(path: string, form: FormData): Promise<T> {
    return (await (await this.#ask(path, { method: 'POST', body: form })).json()) as T
  }

  /** An answer that is a file. */
  async file(path: string): Promise<Response> {
    return this.#ask(path, { method: 'GET' })
  }

  /**
   * Takes a finished package folder into the home: moved where this process holds it, else sent as one file.
   * @throws AppError `upload-too-large` when it cannot be sent
   */
  async register(packageDir: string): Promise<Version> {
    if (this.#register) return this.#register(packageDir, PERSON)
    const { zipFolder } = await import('./folder-zip.ts')
    const zip = await zipFolder(packageDir)
    try {
      const form = new FormData()
      form.set('package', await openAsBlob(zip.path), 'run.roentgen.zip')
      const version = await this.form<Version>('/api/v1/versions/import', form)
      await rm(packageDir, { recursive: true, force: true })
      return version
    } finally {
      await zip.remove()
    }
  }

  /** Gives the home back. */
  close(): Promise<void> {
    return this.#close()
  }

  async #ask(path: string, init: RequestInit): Promise<Response> {
    const request = new Request(new URL(path, this.#origin), init)
    request.headers.set('authorization', `Bearer ${this.#token}`)
    request.headers.set('accept', 'application/json')
    request.headers.set('x-roentgen-by', PERSON)
    let response: Response
    try {
      response = await this.#send(request)
    } catch (cause) {
      throw new AppError('unavailable', 'The running server stopped responding.', { cause })
    }
    if (response.ok) return response
    throw await problemOf(response)
  }
}

async function problemOf(response: Response): Promise<AppError> {
  const problem = (await response.json().catch(() => ({}))) as { code?: string; detail?: string }
  const { code: given } = problem
  const code = given !== undefined && Object.hasOwn(ERROR_CODES, given) ? given : 'internal'
  const detail = problem.detail ?? `The server returned status ${response.status}.`
  return new AppError(code as ErrorCode, detail)
}

/**
 * The running server of this home, or else the home itself, locked for as long as the Api is open.
 * @throws AppError `home-in-use` when someone holds the home who does not answer
 */
export async function openApi(config: Config): Promise<Api> {
  const server = await findServer(config.dataDir)
  if (server && (await isAnswering(server))) {
    const { address: origin, token } = server
    return new Api({ send: fetch, origin, token, isRemote: true, close: async () => {} })
  }
  const { openInProcess } = await import('./in-process.ts')
  return new Api({ ...(await openInProcess(config)), isRemote: false })
}

/** Runs `use` with an open Api and closes it whatever happens. */
export async function withApi<T>(config: Config, use: (api: Api) => Promise<T>): Promise<T> {
  const api = await openApi(config)
  try {
    return await use(api)
  } finally {
    await api.close()
  }
}

/** The file may be left over from a server that was killed, and its port may now be somebody else's. */
export async function isAnswering({ address, token }: ServerFile): Promise<boolean> {
  try {
    const response = await fetch(new URL('/healthz', address), {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(ANSWER_MS),
    })
    return response.ok
  } catch {
    return false
  }
}

function personName(): string {
  try {
    // A header takes plain letters only.
    return userInfo().username.replace(/[^\x20-\x7e]/g, '?')
  } catch {
    // A container may run under a number that has no name.
    return 'cli'
  }
}

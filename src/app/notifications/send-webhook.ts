// One HTTP POST to a far end: signed, short of time, follows nothing, reads little of the answer.
import { createHmac } from 'node:crypto'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { parseWebAddress, publicLookup } from './public-address.ts'

const TIMEOUT_MS = 10_000
const MAX_OF_ANSWER = 2000

export interface WebhookRequest {
  readonly address: string
  readonly body: object
  /** Of the delivery, the same at each try. */
  readonly id: string
  readonly secret: string | null
  readonly allowsPrivate: boolean
  readonly at: Date
}

/** What to make of the far end's answer. */
export interface Sent {
  readonly ok: boolean
  /** False when trying again is of no use. */
  readonly mayRetry: boolean
  readonly detail: string
}

/**
 * HMAC-SHA-256 over `<seconds>.<body>`, in hexadecimal: the receiver computes it with the shared secret, compares in
 * constant time and refuses old times, so that nobody else can write or repeat a message.
 */
export function signature(secret: string, o: { seconds: number; body: string }): string {
  return createHmac('sha256', secret).update(`${o.seconds}.${o.body}`).digest('hex')
}

/** Never throws: an answer that is no 2xx, no answer and a refused address are told in `detail`. */
export async function sendWebhook(wanted: WebhookRequest): Promise<Sent> {
  try {
    const url = parseWebAddress(wanted.address, wanted)
    const body = JSON.stringify(wanted.body)
    const seconds = Math.floor(wanted.at.getTime() / 1000)
    const headers: Record<string, string> = {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
      'user-agent': 'Roentgen',
      'roentgen-delivery': wanted.id,
    }
    if (wanted.secret !== null) {
      const sum = signature(wanted.secret, { seconds, body })
      headers['roentgen-signature'] = `t=${seconds},v1=${sum}`
    }
    const { status, text } = await post(url, { body, headers, allowsPrivate: wanted.allowsPrivate })
    return judged(status, text)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? ''
    return { ok: false, mayRetry: code !== 'invalid', detail: failureWords(error, code) }
  }
}

function judged(status: number, text: string): Sent {
  if (status >= 200 && status < 300) {
    return { ok: true, mayRetry: false, detail: `Responded with ${status}.` }
  }
  const said = text.replaceAll(/\s+/g, ' ').trim().slice(0, 200)
  const detail = `Responded with ${status}${said ? `: ${said}` : ''}.`
  // What is wrong with the request stays wrong; a far end that is busy or broken may come back.
  return { ok: false, mayRetry: status >= 500 || [408, 425, 429].includes(status), detail }
}

function failureWords(error: unknown, code: string): string {
  const words: Record<string, string> = {
    ENOTFOUND: 'Unknown host.',
    EAI_AGAIN: 'The host name could not be resolved.',
    ECONNREFUSED: 'Connection refused.',
    ECONNRESET: 'Connection lost.',
    ETIMEDOUT: 'No response within ten seconds.',
    invalid: error instanceof Error ? error.message : '',
  }
  return words[code] || 'The host could not be reached.'
}

interface Post {
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
  readonly allowsPrivate: boolean
}

function post(url: URL, { body, headers, allowsPrivate }: Post) {
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const timeout = () => Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' })
    const sent = request(
      url,
      { method: 'POST', headers, lookup: publicLookup({ allowsPrivate }) },
      (answer) => {
        readSome(answer).then((text) => resolve({ status: answer.statusCode ?? 0, text }), reject)
      },
    )
    // Of the whole exchange, not of a silence: a far end that drips bytes would hold it for ever.
    const timer = setTimeout(() => sent.destroy(timeout()), TIMEOUT_MS)
    sent.on('close', () => clearTimeout(timer))
    sent.on('error', reject)
    sent.end(body)
  })
}

async function readSome(answer: IncomingMessage): Promise<string> {
  let text = ''
  answer.setEncoding('utf8')
  for await (const chunk of answer) {
    text += chunk
    if (text.length > MAX_OF_ANSWER) break
  }
  return text
}

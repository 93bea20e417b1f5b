// One e-mail through the SMTP server of ROENTGEN_SMTP_URL.
import { AppError } from '../../errors.ts'
import type { Sent } from './send-webhook.ts'

const TIMEOUT_MS = 15_000

export interface Mail {
  readonly to: string
  readonly subject: string
  readonly text: string
  /** Of the delivery: far ends drop a second message of the same id. */
  readonly id: string
}

export interface MailServer {
  /** smtp://user:password@host:587 or smtps://… */
  readonly url: string
  readonly from: string
}

/** One address, without a display name. @throws AppError `invalid` */
export function parseMailAddress(text: string): string {
  const address = text.trim()
  if (/^[^\s@,;<>()"\\]{1,64}@[^\s@,;<>()"\\]{1,255}$/.test(address)) return address
  throw new AppError('invalid', 'Not an e-mail address; use the form name@example.org.')
}

/** Never throws; see `Sent`. */
export async function sendMail(mail: Mail, server: MailServer | undefined): Promise<Sent> {
  if (!server) {
    const detail = 'No mail server is configured; set ROENTGEN_SMTP_URL and ROENTGEN_MAIL_FROM.'
    return { ok: false, mayRetry: false, detail }
  }
  const { createTransport } = await import('nodemailer')
  const transport = createTransport({
    url: server.url,
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  try {
    const { to, subject, text, id } = mail
    const domain = server.from.split('@').at(-1)?.replace('>', '') ?? 'roentgen'
    await transport.sendMail({
      from: server.from,
      to: { name: '', address: to },
      subject,
      text,
      messageId: `<${id}@${domain}>`,
    })
    return { ok: true, mayRetry: false, detail: 'Accepted by the mail server.' }
  } catch (error) {
    const { responseCode = 0, code = '' } = error as { responseCode?: number; code?: string }
    const isFinal = responseCode >= 500 || code === 'EAUTH'
    return { ok: false, mayRetry: !isFinal, detail: mailWords(code, responseCode) }
  } finally {
    transport.close()
  }
}

function mailWords(code: string, responseCode: number): string {
  if (code === 'EAUTH')
    return 'The mail server rejected the user name or password of ROENTGEN_SMTP_URL.'
  if (responseCode > 0) return `The mail server rejected it (${responseCode}).`
  return 'The mail server could not be reached.'
}

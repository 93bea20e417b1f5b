// One message in the shape that each kind of far end wants: plain JSON, Slack blocks, Discord embeds, an e-mail.
import type { Message } from '../../registry/notifications/notification-deliveries.ts'

/** Of a delivery: its id lets the far end know a repetition. */
export interface Envelope {
  readonly id: string
  readonly message: Message
  /** Where this Roentgen is reached, e.g. http://127.0.0.1:7860; undefined where that is not known. */
  readonly origin: string | undefined
}

const address = ({ origin, message }: Envelope): string | undefined =>
  origin === undefined ? undefined : new URL(message.path, origin).href

/** The generic webhook: every field by name. */
export function genericBody(envelope: Envelope): object {
  const { event, title, text, facts, at } = envelope.message
  const named = Object.fromEntries(facts.map(({ name, value }) => [name, value]))
  return { id: envelope.id, event, title, text, facts: named, url: address(envelope) ?? null, at }
}

/** Slack's incoming webhook (Block Kit): at most 150 characters of header, 10 fields of a section. */
export function slackBody(envelope: Envelope): object {
  const { title, text, facts } = envelope.message
  const link = address(envelope)
  const fields = facts.slice(0, 10).map(({ name, value }) => ({
    type: 'mrkdwn',
    text: `*${slackText(name)}*\n${slackText(value)}`,
  }))
  return {
    text: slackText(`${title}. ${text}`),
    blocks: [
      { type: 'header', text: { type: 'plain_text', text: title.slice(0, 150) } },
      { type: 'section', text: { type: 'mrkdwn', text: slackText(text) } },
      ...(fields.length > 0 ? [{ type: 'section', fields }] : []),
      ...(link
        ? [{ type: 'section', text: { type: 'mrkdwn', text: `<${link}|Open in Roentgen>` } }]
        : []),
    ],
  }
}

/** Slack gives these three a meaning. */
const slackText = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').slice(0, 2900)

const COLOURS = { good: 0x2e8b57, bad: 0xc0392b, plain: 0x607080 } as const

/** Discord's webhook: an embed; nobody is pinged, whatever a name contains. */
export function discordBody(envelope: Envelope): object {
  const { event, title, text, facts, at } = envelope.message
  const link = address(envelope)
  const tone = event.endsWith('failed') ? 'bad' : event.endsWith('finished') ? 'good' : 'plain'
  return {
    allowed_mentions: { parse: [] },
    embeds: [
      {
        title: title.slice(0, 256),
        description: text.slice(0, 4000),
        color: COLOURS[tone],
        fields: facts.slice(0, 25).map(({ name, value }) => ({
          name: name.slice(0, 256),
          value: value.slice(0, 1024) || '–',
          inline: true,
        })),
        timestamp: at,
        ...(link ? { url: link } : {}),
      },
    ],
  }
}

/** Plain text only: it is read on telephones and in logs. */
export function mailOf(envelope: Envelope): { readonly subject: string; readonly text: string } {
  const { title, text, facts } = envelope.message
  const link = address(envelope)
  const lines = facts.map(({ name, value }) => `${name}: ${value}`)
  return {
    subject: `Roentgen: ${title}`.replaceAll(/[\r\n]+/g, ' ').slice(0, 200),
    text: [
      text,
      '',
      ...lines,
      ...(link ? ['', link] : []),
      '',
      'For research use only. Not a medical device.',
    ].join('\n'),
  }
}

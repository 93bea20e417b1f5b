// Notifications: whom to tell of what, a form for one more, and the log of what was sent.
import { html } from 'hono/html'
import type { Delivery } from '../../src/registry/notifications/notification-deliveries.ts'
import type {
  NotificationEvent,
  NotificationTarget,
} from '../../src/registry/notifications/notification-targets.ts'
import { badge, emptyState, field, type Html, notice, options, time } from '../shared/components.ts'
import { type ProblemProps, problemNotice } from '../shared/error.ts'
import { type Frame, page } from '../shared/layout.ts'
import { links } from '../shared/links.ts'

export interface NotificationsProps {
  readonly frame: Frame
  readonly targets: readonly NotificationTarget[]
  readonly deliveries: readonly Delivery[]
  /** Whether a mail server is set. */
  readonly hasMail: boolean
  readonly problem?: ProblemProps | undefined
  /** One that was just set up, with the secret that is shown this once. */
  readonly made?: { readonly name: string; readonly secret: string } | undefined
  readonly tested?: { readonly name: string; readonly detail: string } | undefined
  /** What was asked for and refused. */
  readonly fields?: ReadonlyMap<string, string> | undefined
}

const KINDS = [
  { value: 'webhook', text: 'Webhook (JSON, signed)' },
  { value: 'slack', text: 'Slack' },
  { value: 'discord', text: 'Discord' },
  { value: 'email', text: 'E-mail' },
] as const

const EVENTS: readonly { readonly event: NotificationEvent; readonly text: string }[] = [
  { event: 'run.finished', text: 'Training finished' },
  { event: 'run.failed', text: 'Training failed' },
  { event: 'run.cancelled', text: 'Training cancelled' },
  { event: 'comparison.finished', text: 'Comparison finished' },
  { event: 'comparison.failed', text: 'Comparison failed' },
]

export function notificationsPage(props: NotificationsProps): Html {
  const { frame, problem, made, tested } = props
  return page(
    frame,
    { title: 'Notifications', width: 'wide' },
    html`<header class="heading"><h1>Notifications</h1>
      <p>Sent when a training or comparison ends. Messages contain conditions, versions and metrics; never images or patient data. <a href="${links.status}">Status</a></p></header>
    ${problem && problemNotice(problem)}
    ${tested && notice(html`The test for “${tested.name}” was delivered. ${tested.detail}`, { tone: 'good', live: true })}
    ${made && madeNotice(made)}
    <div class="condition-columns">
      <div class="condition-main">${targetList(props.targets)}${deliveryLog(props)}</div>
      <div class="condition-side">${newTarget(props)}</div>
    </div>`,
  )
}

function madeNotice({ name, secret }: { name: string; secret: string }): Html {
  return notice(
    html`<p>“${name}” was added. Its messages are signed with this secret, which is not shown again:</p>
      <p><code class="hash">${secret}</code></p>`,
    { tone: 'good' },
  )
}

function targetList(targets: readonly NotificationTarget[]): Html {
  if (targets.length === 0) {
    return emptyState(
      'No notifications yet',
      'Add a webhook, a channel or an e-mail address below.',
    )
  }
  return html`<div class="table-wrap" tabindex="0" role="region" aria-label="Who is told"><table class="table">
    <thead><tr><th scope="col">Recipient</th><th scope="col">Events</th><th scope="col"><span
      class="visually-hidden">Actions</span></th></tr></thead>
    <tbody>${targets.map(targetRow)}</tbody></table></div>`
}

function targetRow(target: NotificationTarget): Html {
  const { id, name, enabled } = target
  const kind = KINDS.find(({ value }) => value === target.kind)?.text ?? target.kind
  return html`<tr><th scope="row">${name} ${!enabled && badge('off', 'neutral')}
    <span class="row-note">${kind} · ${hostOf(target)} · ${time(target.createdAt)} · ${target.by}</span></th>
  <td>${target.events.map((event) => html`<div>${textOf(event)}</div>`)}</td>
  <td><div class="actions">
    ${action(id, { action: 'test', text: 'Send a test', of: name })}
    ${action(id, { action: 'switch', text: enabled ? 'Switch off' : 'Switch on', of: name })}
    ${action(id, { action: 'delete', text: 'Delete', of: name })}
  </div></td></tr>`
}

/** Addresses of chat webhooks are secrets in themselves. */
function hostOf({ kind, address }: NotificationTarget): string {
  return kind === 'email' ? address : (URL.parse(address)?.host ?? '')
}

const textOf = (event: string): string => EVENTS.find((one) => one.event === event)?.text ?? event

function action(
  id: string,
  o: { action: 'test' | 'switch' | 'delete'; text: string; of: string },
): Html {
  return html`<form method="post" action="${links.notificationAction(id, o.action)}"><button
    class="button button-small" type="submit">${o.text}<span
    class="visually-hidden">: ${o.of}</span></button></form>`
}

function newTarget({ fields, hasMail }: NotificationsProps): Html {
  const kinds = KINDS.filter(({ value }) => hasMail || value !== 'email')
  const chosen = (event: string) => (fields ? fields.has(event) : event !== 'run.cancelled')
  return html`<section class="panel" aria-label="Add recipient"><h2>Add recipient</h2>
    <form class="stack" method="post" action="${links.notifications}">
      ${field('kind', { label: 'Type', control: html`<select id="kind" name="kind">${options(kinds, fields?.get('kind'))}</select>`, hint: !hasMail && 'E-mail needs ROENTGEN_SMTP_URL and ROENTGEN_MAIL_FROM.' })}
      ${field('name', { label: 'Name', control: html`<input id="name" name="name" required maxlength="80" value="${fields?.get('name') ?? ''}" autocomplete="off" />` })}
      ${field('address', { label: 'Address', control: html`<input id="address" name="address" required maxlength="2000" value="${fields?.get('address') ?? ''}" autocomplete="off" aria-describedby="address-hint" />`, hint: 'Webhook URL (https://) or e-mail address.' })}
      <fieldset><legend>Events</legend>${EVENTS.map(
        ({
          event,
          text,
        }) => html`<label class="check" for="${event}"><input type="checkbox" id="${event}"
        name="${event}"${chosen(event) ? html` checked` : ''} /><span>${text}</span></label>`,
      )}</fieldset>
      <button class="button button-primary" type="submit">Add</button>
    </form>
  </section>`
}

const TONES = { waiting: 'accent', delivered: 'good', failed: 'bad' } as const

function deliveryLog({ deliveries, targets }: NotificationsProps): Html | undefined {
  if (deliveries.length === 0) return undefined
  const names = new Map(targets.map(({ id, name }) => [id, name]))
  return html`<section aria-label="What was sent"><h2>Delivery log</h2>
    <div class="table-wrap" tabindex="0" role="region" aria-label="Log"><table class="table">
    <thead><tr><th scope="col">Message</th><th scope="col">To</th><th scope="col">State</th></tr></thead>
    <tbody>${deliveries.map(
      ({ message, target, state, attempts, detail, nextAt, createdAt }) =>
        html`<tr><th scope="row"><a href="${message.path}">${message.title}</a><span class="row-note">${time(createdAt)}</span></th>
      <td>${names.get(target) ?? ''}</td>
      <td>${badge(state, TONES[state])}<span class="row-note">${tries(attempts)} ${detail}
        ${nextAt && html`Next attempt ${time(nextAt)}`}</span></td></tr>`,
    )}</tbody></table></div></section>`
}

function tries(attempts: number): string {
  if (attempts === 0) return ''
  return attempts === 1 ? '1 try.' : `${attempts} tries.`
}

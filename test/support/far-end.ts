// For tests of notifications: a far end on this machine, and a home that may reach it.
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { homeFolders, jsonBody, openedHome } from './home.ts'

export interface Heard {
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** A far end on this machine that keeps what it hears and answers as it is told. */
export async function farEnd(t: TestContext, status: (nth: number) => number = () => 200) {
  const heard: Heard[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    heard.push({ headers: request.headers, body })
    response.writeHead(status(heard.length), { location: 'http://127.0.0.1:9/' }).end('said so')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, heard }
}

export async function openedForPost(t: TestContext, env: Record<string, string> = {}) {
  const folders = await homeFolders(t)
  return openedHome({ ...folders, env: { ...folders.env, ROENTGEN_NOTIFY_PRIVATE: '1', ...env } })
}

export const target = (address: string, more: object = {}) =>
  jsonBody({
    kind: 'webhook',
    name: 'Lab',
    address,
    events: ['run.finished', 'run.failed'],
    ...more,
  })

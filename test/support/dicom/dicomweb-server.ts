// A small DICOMweb archive for tests, written against PS3.18 and not against our client: QIDO-RS for instances, WADO-RS, STOW-RS.
// Its multipart is put together and taken apart here, so that both sides cannot make the same mistake.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { TestContext } from 'node:test'

export interface KeptInstance {
  readonly study: string
  readonly series: string
  readonly instance: string
  readonly modality: string
  readonly studyDate: string
  readonly bytes: Uint8Array
}

export interface DicomwebServer {
  readonly base: string
  /** What can be asked for. */
  readonly instances: KeptInstance[]
  /** What was stored by others: study of the address, and the objects. */
  readonly stored: { readonly study: string; readonly objects: readonly Buffer[] }[]
  /** So many of the next requests are answered with this status. */
  fail(o: { times: number; status: number }): void
  readonly requests: string[]
}

export async function dicomwebServer(
  t: TestContext,
  { authorization }: { readonly authorization?: string } = {},
): Promise<DicomwebServer> {
  const instances: KeptInstance[] = []
  const stored: DicomwebServer['stored'] = []
  const requests: string[] = []
  let failing = { times: 0, status: 503 }

  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? '', 'http://archive')
    const body = await buffer(request)
    requests.push(`${request.method} ${url.pathname}`)
    if (authorization !== undefined && request.headers.authorization !== authorization) {
      return response.writeHead(401).end()
    }
    if (failing.times > 0) {
      failing.times--
      return response.writeHead(failing.status).end()
    }
    if (request.method === 'POST') return store(request, { url, body, response })
    if (url.pathname === '/dicom-web/instances') return query(url, response)
    const wanted = url.pathname.split('/').at(-1)
    const found = instances.find(({ instance }) => instance === wanted)
    if (!found) return response.writeHead(404).end()
    const type = 'multipart/related; type="application/dicom"; boundary=wado-mark'
    response.writeHead(200, { 'Content-Type': type })
    response.write(
      '\r\n--wado-mark\r\nContent-Type: application/dicom\r\nMIME-Version: 1.0\r\n\r\n',
    )
    response.write(found.bytes)
    return response.end('\r\n--wado-mark--')
  }

  const query = (url: URL, response: ServerResponse) => {
    const one = (name: string) => url.searchParams.get(name) ?? ''
    const since = one('StudyDate').replace('-', '')
    const found = instances.filter(
      ({ modality, studyDate }) => modality === one('Modality') && studyDate >= since,
    )
    const from = Number(one('offset'))
    const page = found.slice(from, from + Number(one('limit')))
    if (page.length === 0) return response.writeHead(204).end()
    const attribute = (value: string) => ({ vr: 'UI', Value: [value] })
    response.writeHead(200, { 'Content-Type': 'application/dicom+json' })
    return response.end(
      JSON.stringify(
        page.map(({ study, series, instance }) => ({
          '0020000D': attribute(study),
          '0020000E': attribute(series),
          '00080018': attribute(instance),
        })),
      ),
    )
  }

  const store = (
    request: IncomingMessage,
    { url, body, response }: { url: URL; body: Buffer; response: ServerResponse },
  ) => {
    const boundary = /boundary="?([^";]+)/.exec(request.headers['content-type'] ?? '')?.[1]
    const parts = body.toString('latin1').split(`--${boundary}`).slice(1, -1)
    const objects = parts.map((part) => {
      const at = part.indexOf('\r\n\r\n')
      return Buffer.from(part.slice(at + 4, -2), 'latin1')
    })
    stored.push({ study: url.pathname.split('/').at(-1) ?? '', objects })
    response.writeHead(200, { 'Content-Type': 'application/dicom+json' })
    return response.end('{}')
  }

  const server = createServer((request, response) => {
    void answer(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const fail = (o: { times: number; status: number }) => {
    failing = { ...o }
  }
  return { base: `http://127.0.0.1:${port}/dicom-web`, instances, stored, fail, requests }
}

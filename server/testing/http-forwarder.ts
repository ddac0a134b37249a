// An HTTP server that passes everything on to another, so that a test can watch what goes by, and spoil it.
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Passing {
  asked: IncomingMessage
  /** What the other server answered; its headers may be changed. */
  answered: IncomingMessage
  reply: ServerResponse
}

export type Forwarder = AsyncDisposable & { url: string }

/** `before` sees each request as it comes, `after` each answer; `after` may answer in its own way, and says so by true. */
export async function startForwarder(
  targetUrl: string,
  { before, after }: { before?: (asked: IncomingMessage) => void; after?: (passing: Passing) => boolean | void },
): Promise<Forwarder> {
  const { hostname, port } = new URL(targetUrl)
  const server = createServer((asked, reply) => {
    before?.(asked)
    const { method, url: path, headers } = asked
    const onward = request({ hostname, port, method, path, headers, agent: false }, (answered) => {
      if (after?.({ asked, answered, reply })) return
      reply.writeHead(answered.statusCode!, answered.headers)
      answered.on('error', () => reply.destroy()).pipe(reply)
    })
    onward.on('error', () => void (reply.headersSent || reply.destroy()))
    asked.on('error', () => onward.destroy()).pipe(onward)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

// The counting SMTP sink as a process of its own, so that tests which kill Rapport count from outside.
// `node bench/smtp-sink.ts [smtp port] [http port]` prints one line of JSON with its ports, then serves
// GET / (totals), GET /recipients and GET /messages (counts of each), DELETE / (start anew).
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { startSmtpSink } from '../server/testing/smtp-sink.ts'

const [smtpPort = '0', httpPort = '0'] = process.argv.slice(2)
const sink = await startSmtpSink({ port: Number(smtpPort) })

const counts = createServer((request, reply) => {
  if (request.method === 'DELETE') sink.reset()
  reply.setHeader('content-type', 'application/json')
  reply.end(JSON.stringify(answer(request.url ?? '/')))
})
await new Promise<void>((resolve) => counts.listen(Number(httpPort), '127.0.0.1', resolve))
console.log(JSON.stringify({ smtp: sink.port, http: (counts.address() as AddressInfo).port }))

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    counts.close()
    void sink.close()
  })
}

function answer(path: string): unknown {
  if (path === '/recipients') return Object.fromEntries(sink.byRecipient)
  if (path === '/messages') return Object.fromEntries(sink.byMessageId)
  return {
    accepted: sink.accepted,
    connections: sink.connections,
    recipients: sink.byRecipient.size,
    messages: sink.byMessageId.size,
    /** Copies beyond the first: of a recipient, and of a Message-ID. */
    repeatedRecipients: sink.accepted - sink.byRecipient.size,
    repeatedMessages: sink.accepted - sink.byMessageId.size,
  }
}

/** The reference of `campaign-send`: nodemailer's own pool sends the same mails. Prints the seconds and CPU it took. */
import { createTransport } from 'nodemailer'

const [url = '', mails = '1000', connections = '5', html = '', text = ''] = process.argv.slice(2)
const { hostname, port } = new URL(url)
const transport = createTransport({
  pool: true,
  host: hostname,
  port: Number(port),
  secure: false,
  ignoreTLS: true,
  maxConnections: Number(connections),
  maxMessages: Infinity,
})
const startedAt = performance.now()
let next = 0
/** As many at once as there are connections, twice: the pool is never without work, and memory stays bounded. */
async function lane(): Promise<void> {
  for (let n = next++; n < Number(mails); n = next++) {
    await transport.sendMail({
      from: { name: 'Bench', address: 'menu@moulin.example' },
      to: { name: `Guest Number ${n}`, address: `reference${n}@d${n % 50}.guests.example` },
      subject: 'Le menu, Guest',
      html: html.replaceAll('{{n}}', String(n)),
      text: text.replaceAll('{{n}}', String(n)),
      headers: {
        'List-Unsubscribe': `<https://moulin.example/u/${n}>`,
        'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
      },
    })
  }
}
await Promise.all(Array.from({ length: Number(connections) * 2 }, lane))
const seconds = (performance.now() - startedAt) / 1_000
transport.close()
const cpu = process.cpuUsage()
console.log(JSON.stringify({ seconds, cpuSeconds: (cpu.user + cpu.system) / 1e6 }))

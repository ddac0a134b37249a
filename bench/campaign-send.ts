/**
 * `npm run bench -- campaign-send [mails] [rounds] [queued]`: mails per second of a whole campaign (consent asked, mail rendered
 * for each person with links and pixel, ledger and timeline written) against nodemailer's own pool sending finished mails of the same size
 * over as many connections into the same sink, in turn, in the same run. Then the memory of the worker while
 * `queued` recipients wait (1,000,000).
 */
import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { makeAudience, makeCampaign, memoryOf, startRig, until } from './rig.ts'

const [mails = 10_000, rounds = 3, queued = 1_000_000] = process.argv.slice(2).map(Number)
const connections = 10
await using rig = await startRig({ SEND_CONNECTIONS: String(connections) })
const ratios: number[] = []
const rates: { rapport: number; nodemailer: number }[] = []
const size = await sampleMail()

for (let round = 0; round <= rounds; round++) {
  const reference = await runReference()
  const own = await runCampaign()
  // The first round warms the machine up.
  if (round === 0) continue
  rates.push({ rapport: mails / own.seconds, nodemailer: mails / reference.seconds })
  ratios.push(reference.seconds / own.seconds)
  console.log(
    `round ${round}: Rapport ${(mails / own.seconds).toFixed(0)}/s (${own.cpuSeconds.toFixed(1)} s CPU of the worker), ` +
      `nodemailer ${(mails / reference.seconds).toFixed(0)}/s (${reference.cpuSeconds.toFixed(1)} s CPU): ratio ${ratios.at(-1)!.toFixed(2)}`,
  )
}
const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
const memory = queued ? await runQueued() : null
const result = {
  mails,
  connections,
  ratio: median(ratios),
  ratio_spread: [Math.min(...ratios), Math.max(...ratios)],
  rapport_per_second: median(rates.map((rate) => rate.rapport)),
  nodemailer_per_second: median(rates.map((rate) => rate.nodemailer)),
  queued,
  worker_peak_mib: memory,
}
console.log(JSON.stringify(result, null, 2))
const folder = path.join(import.meta.dirname, 'results')
mkdirSync(folder, { recursive: true })
writeFileSync(path.join(folder, 'campaign-send.json'), `${JSON.stringify(result, null, 2)}\n`)

/** What the reference sends: the mail as one of the recipients would get it. */
async function sampleMail(): Promise<{ html: string; text: string }> {
  const { mailHtml } = await import('./rig.ts')
  const preview = await rig.call('POST', '/communication/campaigns/preview', {
    channel: { type: 'email', config: { subject: 'Le menu' }, content_template: mailHtml },
  })
  return { html: String(preview.html), text: String(preview.text) }
}

async function runReference(): Promise<{ seconds: number; cpuSeconds: number }> {
  await rig.sink.reset()
  const file = path.join(import.meta.dirname, 'workers/nodemailer-pool.ts')
  const { stdout } = await promisify(execFile)(process.execPath, [
    file,
    rig.sink.smtpUrl,
    String(mails),
    String(connections),
    size.html,
    size.text,
  ])
  return JSON.parse(stdout) as { seconds: number; cpuSeconds: number }
}

/** From the first mail that arrives to the last: the start of a process is another benchmark. */
async function runCampaign(): Promise<{ seconds: number; cpuSeconds: number }> {
  await rig.sink.reset()
  const id = await makeCampaign(rig, await makeAudience(rig, mails))
  const worker = await rig.startWorker()
  await rig.call('POST', `/communication/campaigns/${id}/launch`)
  await until(async () => (await rig.sink.counts()).accepted > 0, 60_000, 10)
  const startedAt = performance.now()
  const cpuBefore = cpuOf(worker.pid!)
  await until(async () => (await rig.sink.counts()).accepted >= mails, 600_000, 50)
  const seconds = (performance.now() - startedAt) / 1_000
  const cpuSeconds = cpuOf(worker.pid!) - cpuBefore
  await until(
    async () => (await rig.call('GET', `/communication/campaigns/${id}`)).status === 'completed',
    120_000,
    200,
  )
  worker.kill('SIGTERM')
  return { seconds, cpuSeconds }
}

async function runQueued(): Promise<number> {
  await rig.sink.reset()
  const id = await makeCampaign(rig, await makeAudience(rig, queued))
  const worker = await rig.startWorker()
  await rig.call('POST', `/communication/campaigns/${id}/launch`)
  await until(
    async () => {
      const { rows } = await rig.sql.query('select frozen_at from communication.campaigns where id = $1', [id])
      return rows[0].frozen_at !== null
    },
    900_000,
    500,
  )
  const accepted = (await rig.sink.counts()).accepted
  console.log(
    `${queued} recipients in the ledger, ${accepted} mails out meanwhile, worker ${JSON.stringify(memoryOf(worker))} MiB`,
  )
  await until(async () => (await rig.sink.counts()).accepted >= accepted + 5_000, 120_000, 200)
  const { peak } = memoryOf(worker)
  await rig.call('POST', `/communication/campaigns/${id}/cancel`)
  worker.kill('SIGTERM')
  return peak
}

/** User and system time of a process so far, in seconds. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

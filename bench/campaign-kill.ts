/**
 * `npm run bench -- campaign-kill [mails] [kills]`: a worker is killed with SIGKILL again and again while a campaign
 * goes out over real SMTP. Counted at the sink, from outside: lost, sent more than once, stuck; and how long each new
 * worker took until the next mail arrived.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { makeAudience, makeCampaign, startRig, until } from './rig.ts'

const [mails = 10_000, kills = 20] = process.argv.slice(2).map(Number)
const connections = 10
await using rig = await startRig({ SEND_CONNECTIONS: String(connections) })
const listId = await makeAudience(rig, mails)
const id = await makeCampaign(rig, listId)
await rig.call('POST', `/communication/campaigns/${id}/launch`)

const resumedMs: number[] = []
let worker = await rig.startWorker()
const startedAt = Date.now()
for (let kill = 1; kill <= kills; kill++) {
  // Spread over the whole campaign, at a random moment of what each worker does.
  const target = Math.floor((mails * kill) / (kills + 1))
  await until(async () => (await rig.sink.counts()).accepted >= target, 120_000, 20)
  await pause(Math.random() * 50)
  worker.kill('SIGKILL')
  const before = (await rig.sink.counts()).accepted
  const killedAt = Date.now()
  worker = await rig.startWorker()
  await until(async () => (await rig.sink.counts()).accepted > before + connections, 60_000, 20)
  resumedMs.push(Date.now() - killedAt)
}
await until(async () => (await rig.call('GET', `/communication/campaigns/${id}`)).status === 'completed', 300_000, 500)
const campaign = await rig.call('GET', `/communication/campaigns/${id}`)
const counts = await rig.sink.counts()
const { rows } = await rig.sql.query<{ ambiguous: number; stuck: number }>(
  `select sum(ambiguous)::int as ambiguous, count(*) filter (where state not in ('sent', 'failed', 'skipped'))::int as stuck
   from communication.deliveries where campaign_id = $1`,
  [id],
)
const lost = mails - counts.recipients
const result = {
  mails,
  kills,
  connections,
  lost,
  duplicates: counts.repeatedRecipients,
  duplicates_allowed: connections * kills,
  in_doubt: rows[0]!.ambiguous,
  stuck: rows[0]!.stuck,
  resumed_ms_max: Math.max(...resumedMs),
  resumed_ms_median: resumedMs.toSorted((a, b) => a - b)[Math.floor(resumedMs.length / 2)],
  seconds: Math.round((Date.now() - startedAt) / 1_000),
  counts: campaign.counts,
}
console.log(JSON.stringify(result, null, 2))
const kept =
  lost === 0 && result.stuck === 0 && result.duplicates <= result.duplicates_allowed && result.resumed_ms_max <= 30_000
console.log(kept ? 'kept: nothing lost, nothing stuck, duplicates within the bound, resumed within 30 s' : 'NOT KEPT')
process.exitCode = kept ? 0 : 1

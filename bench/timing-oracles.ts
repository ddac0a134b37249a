/**
 * Whether an answer’s time tells what the answer does not: `npm run bench -- timing-oracles [rounds]`.
 *
 * Each pair of questions gets the same answer and must take the same time: a ticket that is there and one that is not, an
 * address with an account and one without. They are asked by turns in one process, without a network that would hide what is
 * to be seen. `apart` is how much more often than by chance the one took longer than the other (0: a coin, 0.5: always), and
 * the aim is what so many rounds of nothing but chance stay under; beside it, by how much the medians differ.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createApp, prepareDatabase } from '../server/app.ts'
import { toConfig } from '../server/config.ts'
import { ratingToken } from '../server/modules/support/satisfaction/links.ts'
import { hashPassword } from '../server/platform/crypto/passwords.ts'
import { startEmbedded } from '../server/platform/db/embedded.ts'
import { newId } from '../server/platform/ids.ts'
import { createLog } from '../server/platform/observe/log.ts'
import { report, spreadOf, type Line } from './report.ts'

const [rounds = 1_500] = process.argv.slice(2).map(Number)
const secretKey = 'a-secret-key-that-only-the-benchmarks-know-0123'

const folder = mkdtempSync(path.join(tmpdir(), 'rapport-bench-'))
const log = createLog({ level: 'error', name: 'bench' })
const embedded = await startEmbedded({
  dataDir: path.join(folder, 'data'),
  log: { info() {}, warn: console.warn, error: console.error },
})
await prepareDatabase(embedded.url, log)
const config = toConfig({ APP_ENV: 'test', DATA_DIR: folder, RATE_LIMIT_PER_MINUTE: '1000000' })
const app = await createApp({ config, databaseUrl: embedded.url, secretKey, log, works: false, webFolder: null })
await app.http.ready()
// How often one may ask is another matter, and would end this after a minute.
app.runtime.limits.take = async (_key, { limit }) => ({ allowed: true, limit, remaining: limit, resetMs: 0 })

/** What differs in any two answers. */
const unlike = { request_id: '', id: '', ticket_number: '', access_token: '' }

interface Question {
  method: 'GET' | 'POST'
  url: string
  headers?: Record<string, string>
  payload?: object
}

try {
  const lines: Line[] = []
  for (const { what, times, one, other } of await pairs()) lines.push(...(await measure(what, times, one, other)))
  process.exitCode = report('timing-oracles', lines, { rounds, node: process.version }) ? 0 : 1
} finally {
  await app.close()
  await embedded.stop()
  rmSync(folder, { recursive: true, force: true })
}

async function pairs() {
  const setUp = {
    workspace_name: 'Bench',
    full_name: 'Ana',
    email: 'ana@bench.example',
    password: 'seven green bicycles',
  }
  await ask({ method: 'POST', url: '/setup', payload: setUp })
  const fields = { email: 'zoe@guest.example', subject: 'Hello', description: 'Where is it?' }
  const open = async () =>
    (await ask({ method: 'POST', url: '/public/tickets', payload: fields })) as Record<
      'id' | 'ticket_number' | 'access_token',
      string
    >
  const [there, other, gone] = [await open(), await open(), await open()]
  const absent = there.ticket_number.replace(/\d+$/, '999')
  const read = (address: string, token: string): Question => {
    return { method: 'GET', url: `/public/tickets/${address}`, headers: { 'x-ticket-token': token } }
  }
  const forged = `${there.access_token.slice(0, -2)}${there.access_token.endsWith('AA') ? 'BB' : 'AA'}`
  const { rows } = await app.runtime.db.transaction('system', (tx) =>
    tx.rawQuery<{ id: string }>('select id from accounts.workspaces'),
  )
  const workspaceId = rows[0]!.id
  await app.runtime.db.transaction(workspaceId, (tx) =>
    tx.rawQuery(`update support.tickets set deleted_at = now() where id = '${gone.id}'`),
  )
  const rate = (ticketId: string): Question => {
    const token = ratingToken(app.runtime, { workspaceId, ticketId }, new Date())
    return { method: 'POST', url: '/public/tickets/satisfaction', payload: { token, rating: 3 } }
  }
  const signIn = (email: string): Question => ({
    method: 'POST',
    url: '/session',
    payload: { email, password: 'not this' },
  })
  let guests = 0
  const opening = (email: string): Question => {
    return { method: 'POST', url: '/public/tickets', payload: { ...fields, email } }
  }
  const reset = (email: string): Question => ({ method: 'POST', url: '/password-resets', payload: { email } })
  await hashPassword('warm')
  const known = 'ana@bench.example'
  return [
    {
      what: 'a forged token: the number is there, or not',
      times: rounds,
      one: () => read(there.ticket_number, forged),
      other: () => read(absent, forged),
    },
    {
      what: 'another’s token: the number is there, or not',
      times: rounds,
      one: () => read(there.ticket_number, other.access_token),
      other: () => read(absent, other.access_token),
    },
    {
      what: 'a rating: the ticket is gone, or never was',
      times: rounds,
      one: () => rate(gone.id),
      other: () => rate(newId()),
    },
    {
      what: 'signing in: the address is known, or not',
      times: Math.ceil(rounds / 5),
      one: () => signIn(known),
      other: () => signIn('bea@bench.example'),
    },
    {
      what: 'a ticket is opened: the address is known, or not',
      times: Math.ceil(rounds / 5),
      one: () => opening(fields.email),
      other: () => opening(`guest${guests++}@guest.example`),
    },
    {
      what: 'a new password: the address is known, or not',
      times: rounds,
      one: () => reset(known),
      other: () => reset('bea@bench.example'),
    },
  ]
}

/** By turns, each first in every second round, so that whatever else the machine does meets both alike. */
async function measure(what: string, times: number, one: () => Question, other: () => Question): Promise<Line[]> {
  const took: [number[], number[]] = [[], []]
  const answers = new Set<string>()
  for (let round = -50; round < times; round++) {
    const order = round % 2 ? [0, 1] : [1, 0]
    for (const which of order) {
      const question = which === 0 ? one() : other()
      const begun = performance.now()
      const answer = await ask(question)
      if (round >= 0) took[which]!.push((performance.now() - begun) * 1_000)
      answers.add(JSON.stringify({ ...answer, ...unlike }))
    }
  }
  if (answers.size !== 1) throw new Error(`${what}: the answers differ: ${[...answers].join(' ')}`)
  // Three standard deviations of what chance alone does with so many pairs of times.
  const chance = Math.ceil(3_000 * Math.sqrt((2 * times + 1) / (12 * times * times))) / 1_000
  return [
    { what: `${what}: apart`, unit: '', values: [apart(...took)], digits: 3, aim: { atMost: chance } },
    {
      what: `${what}: medians differ by`,
      unit: 'µs',
      values: [Math.abs(spreadOf(took[0]).median - spreadOf(took[1]).median)],
      digits: 1,
    },
    { what: `${what}: the one`, unit: 'µs', values: took[0], digits: 0 },
  ]
}

/** How far from one half the share of pairs is in which the one took longer than the other. */
function apart(one: number[], other: number[]): number {
  const sorted = other.toSorted((left, right) => left - right)
  let longer = 0
  for (const time of one) {
    let [low, high] = [0, sorted.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (sorted[middle]! < time) low = middle + 1
      else high = middle
    }
    longer += low
  }
  return Math.abs(longer / (one.length * other.length) - 0.5)
}

async function ask({ method, url, headers, payload }: Question): Promise<object> {
  const reply = await app.http.inject({
    method,
    url: `/api/v1${url}`,
    ...(headers ? { headers } : {}),
    ...(payload ? { payload } : {}),
  })
  return reply.json<object>()
}

/**
 * The help desk with many tickets, over HTTP: `npm run bench -- tickets [tickets] [messages] [repeats] [created]`.
 *
 * A process of the API answers as it does every day: tickets are opened, listed, searched and counted. Where there is an
 * obvious best statement for the same rows, written by hand, it is asked in turn with the door, on a connection of its
 * own; the ratio tells what everything between the statement and the client costs.
 */
import { report, type Line } from './report.ts'
import { startRig, type Rig } from './rig.ts'

const [tickets = 1_000_000, messages = 10_000_000, repeats = 60, created = 3_000] = process.argv.slice(2).map(Number)
const connections = 8

interface Question {
  what: string
  /** Milliseconds that the 95th of 100 may take. */
  aimMs: number
  path(turn: number): string
  byHand?: string
}

const words = ['facture', 'livraison', 'Réservation', 'terrasse', 'remboursement', 'guest4711', 'colis perdu']
const short = ['予約', '団体', '席', 'TV', 'qx', 'q', 'le']

const questions: Question[] = [
  {
    what: 'first page, newest first',
    aimMs: 50,
    path: () => '/tickets',
    byHand: `select * from support.tickets where workspace_id = $1 and deleted_at is null order by created_at desc, id desc limit 51`,
  },
  {
    what: 'open ones, longest waiting first',
    aimMs: 50,
    path: () => '/tickets?status=open&sort=waiting_since',
    byHand: `select * from support.tickets where workspace_id = $1 and deleted_at is null and status = 'open'
      order by coalesce(waiting_since, 'infinity'::timestamptz), id limit 51`,
  },
  {
    what: 'by the next promise',
    aimMs: 50,
    path: () => '/tickets?sort=due_at',
    byHand: `select * from support.tickets where workspace_id = $1 and deleted_at is null
      order by coalesce(due_at, 'infinity'::timestamptz), id limit 51`,
  },
  {
    what: 'urgent ones in work',
    aimMs: 50,
    path: () => '/tickets?priority=urgent&status=assigned,in_progress',
    byHand: `select * from support.tickets where workspace_id = $1 and deleted_at is null and priority = 'urgent'
      and status in ('assigned', 'in_progress') order by created_at desc, id desc limit 51`,
  },
  { what: 'one category, one tag', aimMs: 50, path: (turn) => `/tickets?category=billing&tag=tag${turn % 12}` },
  { what: 'search', aimMs: 150, path: (turn) => `/tickets?search=${encodeURIComponent(words[turn % words.length]!)}` },
  {
    what: 'search for one or two signs',
    aimMs: 150,
    path: (turn) => `/tickets?search=${encodeURIComponent(short[turn % short.length]!)}`,
  },
  { what: 'search that finds nothing', aimMs: 150, path: (turn) => `/tickets?search=zzqx${turn}` },
  { what: 'statistics of 30 days', aimMs: 300, path: () => '/tickets/statistics' },
]

await using rig = await startRig()
const started = Date.now()
await fill(rig)
console.log(`${tickets} tickets, ${messages} messages, made in ${Math.round((Date.now() - started) / 1000)} s`)
const lines: Line[] = []
for (const question of questions) lines.push(...(await measure(question)))
lines.push(await openMany())
process.exitCode = report('tickets', lines, { tickets, messages, repeats, created, connections }) ? 0 : 1

async function measure({ what, aimMs, path, byHand }: Question): Promise<Line[]> {
  const times: number[] = []
  const handTimes: number[] = []
  for (let turn = 0; turn < repeats + 3; turn++) {
    times.push(await timed(() => rig.call('GET', path(turn))))
    if (byHand) handTimes.push(await timed(() => rig.sql.query(byHand, [rig.workspaceId])))
  }
  const [warm, warmHand] = [times.slice(3), handTimes.slice(3)]
  return [
    { what, unit: 'ms (median)', values: warm },
    { what: '  p95', unit: 'ms', values: [at(warm, 0.95)], aim: { atMost: aimMs } },
    ...(warmHand.length
      ? [{ what: '  of the statement alone', unit: '×', values: [at(warm, 0.5) / at(warmHand, 0.5)] }]
      : []),
  ]
}

/** Each of somebody whose contact is found or made, with a number to draw, clocks to start and events to tell. */
async function openMany(): Promise<Line> {
  let next = 0
  const open = async (): Promise<void> => {
    for (let n = next++; n < created; n = next++) {
      await rig.call('POST', '/tickets', {
        subject: `Une question ${n}`,
        description: 'Où en est ma commande ? Je l’attends depuis une semaine.',
        contact_email: `asker${n % 1_500}@askers.example`,
        contact_name: 'Camille Martin',
      })
    }
  }
  const begun = performance.now()
  await Promise.all(Array.from({ length: connections }, open))
  const perSecond = created / ((performance.now() - begun) / 1_000)
  return { what: 'opened over HTTP', unit: '/s', values: [perSecond], aim: { atLeast: 300 } }
}

/** Deterministic: everything follows from the number of the row. Most are closed, as in any help desk after some years. */
async function fill({ sql, workspaceId }: Rig): Promise<void> {
  const run = (text: string) => sql.query(text.replaceAll('$1', `'${workspaceId}'::uuid`))
  await run(`set maintenance_work_mem = '1GB'; set synchronous_commit = off`)
  await run(`select set_config('rapport.workspace_id', $1::text, false)`)
  await run(`
    insert into support.tickets (workspace_id, id, ticket_number, subject, description, status, priority, category, source,
      contact_email, contact_name, assigned_to, tags, last_message_at, waiting_since, first_response_at, resolved_at,
      closed_at, first_response_due_at, satisfaction_rating, created_at, updated_at)
    select $1, md5('ticket ' || n)::uuid, 'OLD-' || to_char(made, 'YYYYMMDD') || '-' || n,
      (array['Facture', 'Livraison', 'Réservation', 'Carte', 'Compte'])[1 + n % 5] || ' ' || n % 977,
      'Bonjour, au sujet de la commande ' || n || ', je voudrais savoir ' || md5(n::text), status,
      (array['low', 'normal', 'normal', 'normal', 'high', 'urgent'])[1 + n % 6],
      (array['billing', 'delivery', 'product', null])[1 + n % 4], (array['web', 'email', 'phone', 'chat'])[1 + n % 4],
      'guest' || n % 200000 || '@guests.example', 'Guest ' || n % 200000,
      case when status <> 'open' then md5('agent ' || n % 20)::uuid end,
      case when n % 3 = 0 then array['tag' || n % 12] else '{}' end,
      made + interval '3 hours', case when status in ('open', 'assigned', 'in_progress') then made end,
      case when status <> 'open' then made + (n % 300) * interval '1 minute' end,
      case when status in ('resolved', 'closed') then made + (n % 90) * interval '1 hour' end,
      case when status = 'closed' then made + (n % 90) * interval '1 hour' end,
      case when status = 'open' then made + interval '8 hours' end,
      case when status = 'closed' and n % 7 = 0 then 1 + n % 5 end, made, made
    from (
      select n, now() - (n::bigint * 94672800 / ${tickets}) * interval '1 second' as made,
        case when n < ${tickets} / 250 then (array['open', 'assigned', 'in_progress', 'waiting_customer', 'resolved'])[1 + n % 5]
          else 'closed' end as status
      from generate_series(1, ${tickets}) as n) as one`)
  await run(`
    insert into contacts.contacts (workspace_id, id, email, first_name, last_name, source)
    select $1, md5('guest ' || n)::uuid, 'guest' || n || '@guests.example', 'Guest', n::text, 'ticket'
    from generate_series(0, least(200000, ${tickets}) - 1) as n`)
  await run(`drop index support.messages_search, support.messages_dense`)
  await run(`
    insert into support.messages (workspace_id, id, ticket_id, author_kind, author_name, author_email, content, is_internal, created_at)
    select $1, md5('message ' || n)::uuid, md5('ticket ' || 1 + n % ${tickets})::uuid,
      case when n % 3 = 0 then 'requester' else 'house' end, 'Somebody', '',
      (array['Merci pour votre réponse', 'Nous regardons cela tout de suite', 'Le colis est parti hier', 'C’est la facture de mai',
        'La terrasse est fermée', 'Le remboursement est fait', 'Bonne journée à vous', 'ご予約の変更をお願いします'])[1 + n % 8] || ' ' || n % 10007
        || case n % 9973 when 0 then ' 団体席の件' when 1 then ' (TV)' when 2 then ' qx-7' else '' end,
      n % 30 = 1, now() - (n::bigint * 94672800 / ${messages}) * interval '1 second'
    from generate_series(1, ${messages}) as n`)
  await run(
    `create index messages_search on support.messages using gin (search_text gin_trgm_ops) where deleted_at is null`,
  )
  await run(
    `create index messages_dense on support.messages using gin (platform.dense_grams(search_text))
      where deleted_at is null and platform.has_dense_script(search_text)`,
  )
  await run(`
    insert into support.ticket_figures (workspace_id, ticket_id, opened_at, answered_at, ended_at, first_response_ms,
      first_response_business_ms, resolution_ms, resolution_business_ms, is_late, rating, rated_at)
    select workspace_id, id, created_at, first_response_at, resolved_at,
      extract(epoch from first_response_at - created_at) * 1000, extract(epoch from first_response_at - created_at) * 300,
      extract(epoch from resolved_at - created_at) * 1000, extract(epoch from resolved_at - created_at) * 300, false,
      satisfaction_rating, case when satisfaction_rating is not null then closed_at end
    from support.tickets`)
  await run(`vacuum analyze`)
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await run()
  return performance.now() - begun
}

function at(values: number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!
}

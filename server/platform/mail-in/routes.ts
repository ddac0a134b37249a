/** The doors for whoever looks after received mail: what came, what was made of it, and what lies in quarantine. */
import './tables.ts'
import { sql } from 'kysely'
import { Type } from 'typebox'
import type { Tx } from '../db/db.ts'
import { Conflict, NotFound } from '../errors.ts'
import { getFetching } from './fetching.ts'
import { afterCursor, countRows, orderBy, page, parseSort } from '../http/paging.ts'
import { route } from '../http/route.ts'
import {
  Closed,
  Id,
  NullableText,
  NullableTimestamp,
  OneOf,
  Page,
  pageQuery,
  Problem,
  Timestamp,
} from '../http/shapes.ts'

const states = ['received', 'handled', 'ignored', 'quarantined', 'erased'] as const

const InboundMailView = Type.Object(
  {
    id: Id,
    state: OneOf(states),
    door: OneOf(['smtp', 'imap']),
    size_bytes: Type.Integer(),
    message_id: NullableText,
    envelope_from: NullableText,
    recipients: Type.Array(Type.String()),
    from_address: NullableText,
    subject: NullableText,
    kind: Type.Union([Type.String(), Type.Null()], {
      description: 'person, auto_reply, notification, bulk, bounce, complaint, receipt or loop; null until it is read.',
    }),
    outcome: Type.Union([Type.String(), Type.Null()], { description: 'What was made of it, such as `ticket_opened`.' }),
    attempts: Type.Integer(),
    error: NullableText,
    received_at: Timestamp,
    handled_at: NullableTimestamp,
  },
  { $id: 'InboundMail' },
)

interface MailRow {
  id: string
  state: (typeof states)[number]
  door: 'smtp' | 'imap'
  size_bytes: number
  message_id: string | null
  envelope_from: string | null
  recipients: string[]
  from_address: string | null
  subject: string | null
  kind: string | null
  outcome: string | null
  attempts: number
  error: string | null
  received_at: Date
  handled_at: Date | null
}

const shown = sql`id, state, door, size_bytes, message_id, envelope_from, recipients, from_address, subject, kind, outcome,
  attempts, error, received_at, handled_at`
const params = Closed({ id: Id })

async function getMail(tx: Tx, id: string): Promise<MailRow> {
  const { rows } = await sql<MailRow>`
    select ${shown} from platform.inbound_mails where workspace_id = ${tx.workspaceId} and id = ${id}`.execute(tx.sql)
  if (!rows[0]) throw new NotFound('mail')
  return rows[0]
}

const listMails = route({
  method: 'GET',
  path: '/mail/inbound',
  may: 'mail_in.manage',
  summary: 'Mails that came in, newest first, and what was made of them',
  query: Closed({
    ...pageQuery,
    state: Type.Optional(OneOf(states)),
    search: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: 'In sender and subject.' })),
  }),
  replies: { 200: Page(InboundMailView) },
  run: async ({ tx, query: { limit = 50, state, search, cursor, count } }) => {
    const byTime = { received_at: { expression: sql`received_at`, type: 'timestamptz' as const } }
    const sort = parseSort(undefined, byTime, '-received_at')
    const pattern = search ? `%${search.replaceAll(/[\\%_]/g, '\\$&')}%` : null
    const from = sql`from platform.inbound_mails where workspace_id = ${tx.workspaceId}
      ${state ? sql`and state = ${state}` : sql``}
      ${pattern ? sql`and (from_address ilike ${pattern} or subject ilike ${pattern})` : sql``}`
    const after = afterCursor(cursor, sort, sql`id`)
    const { rows } = await sql<MailRow & { sort_key: string }>`
      select ${shown}, received_at::text as sort_key ${from} ${after ? sql`and ${after}` : sql``}
      order by ${orderBy(sort, sql`id`)} limit ${limit + 1}`.execute(tx.sql)
    return { ...page(rows, limit, sort, view), total: await countRows(tx, from, count === 'exact') }
  },
})

const showMail = route({
  method: 'GET',
  path: '/mail/inbound/:id',
  may: 'mail_in.manage',
  summary: 'One mail that came in',
  params,
  replies: { 200: InboundMailView, 404: Problem },
  run: async ({ tx, params: { id } }) => view(await getMail(tx, id)),
})

const retryMail = route({
  method: 'POST',
  path: '/mail/inbound/:id/retry',
  may: 'mail_in.manage',
  summary: 'Try a mail in quarantine again',
  params,
  replies: { 200: InboundMailView, 404: Problem, 409: Problem },
  run: async ({ tx, params: { id } }) => {
    const { rows } = await sql<{ id: string }>`
      update platform.inbound_mails set state = 'received', attempts = 0, error = null, handled_at = null
      where workspace_id = ${tx.workspaceId} and id = ${id} and state = 'quarantined' returning id`.execute(tx.sql)
    if (!rows.length) {
      await getMail(tx, id)
      throw new Conflict('not_in_quarantine', 'Only a mail in quarantine can be tried again.')
    }
    await tx.sql
      .insertInto('platform.mail_queue')
      .values({ workspace_id: tx.workspaceId, mail_id: id })
      .onConflict((conflict) => conflict.columns(['workspace_id', 'mail_id']).doNothing())
      .execute()
    return view(await getMail(tx, id))
  },
})

function view({ id, state, door, size_bytes, message_id, envelope_from, recipients, ...rest }: MailRow) {
  const { from_address, subject, kind, outcome, attempts, error, received_at, handled_at } = rest
  return {
    id,
    state,
    door,
    size_bytes,
    message_id,
    envelope_from,
    recipients,
    from_address,
    subject,
    kind,
    outcome,
    attempts,
    error,
    received_at,
    handled_at,
  }
}

const FetchingView = Type.Object(
  {
    state: OneOf(['off', 'waiting', 'working', 'failing'], {
      description: 'off: no IMAP_URL; waiting: not visited yet; working, failing: how the last visit went',
    }),
    problem: Type.Union([Type.Object({ code: Type.String(), detail: Type.String() }), Type.Null()], {
      description: 'Why it fails, and what to mend',
    }),
    failures: Type.Integer({ description: 'Visits in a row that failed; the more, the longer until the next' }),
    passed_over: Type.Integer({
      description: 'Unseen mails that stay there: for no address of this installation, too large, or failing',
    }),
    visited_at: NullableTimestamp,
    succeeded_at: NullableTimestamp,
  },
  { $id: 'MailFetching' },
)

const showFetching = route({
  method: 'GET',
  path: '/mail/fetching',
  may: 'mail_in.manage',
  summary: 'How fetching from the mailbox of IMAP_URL goes',
  replies: { 200: FetchingView },
  run: async ({ tx, services }) => {
    const visit = services.config.mailIn.imap ? await getFetching(tx) : null
    const { failures = 0, passed_over = 0, visited_at = null, succeeded_at = null } = visit ?? {}
    const problem = visit?.problem ? { code: visit.problem, detail: visit.detail ?? '' } : null
    const state = !services.config.mailIn.imap ? 'off' : !visit ? 'waiting' : problem ? 'failing' : 'working'
    return { state, problem, failures, passed_over, visited_at, succeeded_at } as const
  },
})

export const mailInRoutes = [listMails, showMail, retryMail, showFetching]

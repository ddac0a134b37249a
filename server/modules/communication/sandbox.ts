/**
 * The sandbox inbox: what would have gone out, kept whole, for people to look at. A mail counts as sent once it is
 * committed here; senders that send at the same time share a transaction.
 */
import { sql } from 'kysely'
import PostalMime from 'postal-mime'
import type { Actor } from '#platform/actor.ts'
import { may } from '#platform/actor.ts'
import type { Db, Tx } from '#platform/db/db.ts'
import { NotFound } from '#platform/errors.ts'
import { afterCursor, countRows, orderBy, page, parseSort, type SortColumn } from '#platform/http/paging.ts'
import { newId } from '#platform/ids.ts'
import type { StoreMail } from '#platform/mail/sandbox.ts'
import type { Services } from '#platform/services.ts'
import { cleanHtml } from './render/clean-html.ts'

/** Newest kept, per workspace. */
export const keptMax = 5_000
const batchMax = 100

interface Waiting {
  workspaceId: string
  row: {
    id: string
    sender: string
    recipient: string
    subject: string
    confidential: boolean
    campaign_id: string | null
    contact_id: string | null
    raw: string
    size_bytes: number
  }
  done: () => void
  failed: (error: unknown) => void
}

/**
 * What the sandbox transport keeps its mails with. Mail that belongs to no workspace is about somebody's account: it
 * goes to the installation's own workspace, where only its owner sees it.
 */
export function createSandboxStore(db: Db, ownWorkspaceId: () => Promise<string | null>): StoreMail {
  let waiting: Waiting[] = []
  let turning = false

  async function turn(): Promise<void> {
    turning = true
    while (waiting.length) {
      const batch = waiting.splice(0, batchMax)
      for (const [workspaceId, group] of Map.groupBy(batch, (entry) => entry.workspaceId)) {
        await db
          .transaction(workspaceId, (tx) => insertMessages(tx, group))
          .then(
            () => group.forEach((entry) => entry.done()),
            (error: unknown) => group.forEach((entry) => entry.failed(error)),
          )
      }
    }
    turning = false
  }

  return async (raw, envelope, message) => {
    const { context } = message
    const workspaceId = context?.workspaceId ?? (await ownWorkspaceId())
    if (!workspaceId) return // before the set-up there is nobody who could look
    const row = {
      id: newId(),
      sender: message.from.name ? `${message.from.name} <${message.from.address}>` : message.from.address,
      recipient: envelope.to,
      subject: message.subject,
      confidential: !context?.contactId && !context?.campaignId,
      campaign_id: context?.campaignId ?? null,
      contact_id: context?.contactId ?? null,
      raw: raw.toString('base64'),
      size_bytes: raw.length,
    }
    await new Promise<void>((done, failed) => {
      waiting.push({ workspaceId, row, done, failed })
      if (!turning) void turn()
    })
  }
}

async function insertMessages(tx: Tx, group: Waiting[]): Promise<void> {
  await sql`
    insert into communication.sandbox_messages
      (workspace_id, id, sender, recipient, subject, confidential, campaign_id, contact_id, raw, size_bytes, received_at)
    select ${tx.workspaceId}::uuid, id, sender, recipient, subject, confidential, campaign_id, contact_id,
      decode(raw, 'base64'), size_bytes, ${tx.now}
    from jsonb_to_recordset(${JSON.stringify(group.map((entry) => entry.row))}::jsonb) as row(id uuid, sender text,
      recipient text, subject text, confidential boolean, campaign_id uuid, contact_id uuid, raw text, size_bytes int)`.execute(
    tx.sql,
  )
}

/** Deletes all but the newest; answers how many went. */
export async function trimSandbox(tx: Tx, keep = keptMax): Promise<number> {
  const { rows } = await sql<{ id: string }>`
    delete from communication.sandbox_messages where workspace_id = ${tx.workspaceId} and id in (
      select id from communication.sandbox_messages where workspace_id = ${tx.workspaceId}
      order by received_at desc, id desc offset ${keep})
    returning id`.execute(tx.sql)
  return rows.length
}

interface Row {
  id: string
  sender: string
  recipient: string
  subject: string
  campaign_id: string | null
  size_bytes: number
  received_at: Date
}

const sortColumns: Record<string, SortColumn> = {
  received_at: { expression: sql`m.received_at`, type: 'timestamptz' },
}

export interface SandboxQuery {
  search?: string
  limit?: number
  cursor?: string
  count?: 'exact'
}

/** Newest first. */
export async function listMessages(tx: Tx, actor: Actor, services: Pick<Services, 'permissions'>, query: SandboxQuery) {
  const limit = query.limit ?? 50
  const sort = parseSort(undefined, sortColumns, '-received_at')
  const after = afterCursor(query.cursor, sort, sql`m.id`)
  const words = query.search?.trim()
  const found = sql`position(platform.fold(${words}) in platform.fold(m.recipient || ' ' || m.subject || ' ' || m.sender)) > 0`
  const from = sql`from communication.sandbox_messages m
    where m.workspace_id = platform.workspace_id() and ${visibleTo(actor, services)} ${words ? sql`and ${found}` : sql``}`
  const { rows } = await sql<Row & { sort_key: string }>`
    select m.id, m.sender, m.recipient, m.subject, m.campaign_id, m.size_bytes, m.received_at, m.received_at::text as sort_key
    ${from} ${after ? sql`and ${after}` : sql``} order by ${orderBy(sort, sql`m.id`)} limit ${limit + 1}`.execute(
    tx.sql,
  )
  const total = await countRows(tx, from, query.count === 'exact')
  return { ...page(rows, limit, sort, viewRow), total }
}

/** Mail about accounts may hold a way into one: for the owner, and for whom it was written to. */
function visibleTo(actor: Actor, services: Pick<Services, 'permissions'>) {
  if (may(services.permissions, actor, 'sandbox.read_confidential')) return sql`true`
  return sql`(not m.confidential or lower(m.recipient) = lower(${actor.email ?? ''}))`
}

/** The message as a mail program would show it, its HTML cleaned for the page. */
export async function readMessage(tx: Tx, actor: Actor, services: Pick<Services, 'permissions'>, id: string) {
  const row = await loadMessage(tx, actor, services, id)
  const mail = await PostalMime.parse(row.raw, { maxNestingDepth: 20, maxHeadersSize: 1_000_000 })
  const cleaned = mail.html === undefined ? null : cleanHtml(mail.html)
  return {
    ...viewRow(row),
    headers: mail.headers.map(({ originalKey, value }) => ({ name: originalKey, value })),
    html: cleaned?.html ?? null,
    remote_images: cleaned?.remoteImages ?? 0,
    text: mail.text ?? null,
    raw_url: `/api/v1/communication/sandbox/messages/${id}/raw`,
  }
}

export async function loadMessage(tx: Tx, actor: Actor, services: Pick<Services, 'permissions'>, id: string) {
  const { rows } = await sql<Row & { raw: Buffer }>`
    select m.* from communication.sandbox_messages m
    where m.workspace_id = ${tx.workspaceId} and m.id = ${id} and ${visibleTo(actor, services)}`.execute(tx.sql)
  if (!rows[0]) throw new NotFound('message')
  return rows[0]
}

/** Empties the inbox for good, except for what the actor may not see. */
export async function clearMessages(tx: Tx, actor: Actor, services: Pick<Services, 'permissions'>): Promise<number> {
  const { rows } = await sql<{ id: string }>`
    delete from communication.sandbox_messages m
    where m.workspace_id = ${tx.workspaceId} and ${visibleTo(actor, services)} returning m.id`.execute(tx.sql)
  return rows.length
}

function viewRow({ id, sender, recipient, subject, campaign_id, size_bytes, received_at }: Row) {
  return { id, from: sender, to: recipient, subject, campaign_id, size_bytes, received_at }
}

/** The addresses that customers write to, and how the house signs there. */
import './mail-tables.ts'
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import { checkVersion, Invalid, NotFound } from '#platform/errors.ts'
import { afterCursor, countRows, orderBy, page, parseSort } from '#platform/http/paging.ts'
import { newId } from '#platform/ids.ts'
import { normalizeAddress } from '#platform/mail/address.ts'
import { changeAddress, giveUpAddress, takeAddress } from '#platform/mail-in/addresses.ts'
import type { MailboxRow } from './mail-tables.ts'

export interface NewMailbox {
  address: string
  name: string
  signature?: string
  auto_acknowledge?: boolean
  purpose?: 'tickets' | 'bounces'
}

export async function addMailbox(tx: Tx, input: NewMailbox): Promise<MailboxRow> {
  const address = readAddress(input.address)
  const purpose = input.purpose ?? 'tickets'
  const addressId = await takeAddress(tx, address, purpose)
  return tx.sql
    .insertInto('support.mailboxes')
    .values({
      workspace_id: tx.workspaceId,
      id: newId(),
      address_id: addressId,
      address,
      purpose,
      name: input.name.trim(),
      signature: input.signature ?? '',
      auto_acknowledge: input.auto_acknowledge ?? true,
    })
    .returningAll()
    .executeTakeFirstOrThrow()
}

export async function getMailbox(tx: Tx, id: string): Promise<MailboxRow> {
  const mailbox = await tx.sql.selectFrom('support.mailboxes').selectAll().where('id', '=', id).executeTakeFirst()
  if (!mailbox) throw new NotFound('mailbox')
  return mailbox
}

export async function changeMailbox(
  tx: Tx,
  id: string,
  input: Partial<Omit<NewMailbox, 'purpose'>>,
  ifVersion: number | undefined,
): Promise<MailboxRow> {
  const mailbox = await lockMailbox(tx, id)
  checkVersion(mailbox.version, ifVersion)
  const address = input.address === undefined ? mailbox.address : readAddress(input.address)
  if (address !== mailbox.address) await changeAddress(tx, mailbox.address_id, address)
  const changed = {
    address,
    name: input.name?.trim() ?? mailbox.name,
    signature: input.signature ?? mailbox.signature,
    auto_acknowledge: input.auto_acknowledge ?? mailbox.auto_acknowledge,
  }
  return tx.sql
    .updateTable('support.mailboxes')
    .set(changed)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()
}

/** Mail for it is refused from now on; what came stays. */
export async function removeMailbox(tx: Tx, id: string, ifVersion: number | undefined): Promise<void> {
  const mailbox = await lockMailbox(tx, id)
  checkVersion(mailbox.version, ifVersion)
  await tx.sql.deleteFrom('support.mailboxes').where('id', '=', id).execute()
  await giveUpAddress(tx, mailbox.address_id)
}

async function lockMailbox(tx: Tx, id: string): Promise<MailboxRow> {
  const found = tx.sql.selectFrom('support.mailboxes').selectAll().where('id', '=', id).forUpdate()
  const mailbox = await found.executeTakeFirst()
  if (!mailbox) throw new NotFound('mailbox')
  return mailbox
}

export async function listMailboxes<View>(
  tx: Tx,
  query: { limit?: number; cursor?: string; count?: 'exact'; search?: string },
  view: (mailbox: MailboxRow) => View,
) {
  const byTime = { created_at: { expression: sql`created_at`, type: 'timestamptz' as const } }
  const sort = parseSort(undefined, byTime, 'created_at')
  const limit = query.limit ?? 50
  const pattern = query.search ? `%${query.search.replaceAll(/[\\%_]/g, '\\$&')}%` : null
  const from = sql`from support.mailboxes where workspace_id = ${tx.workspaceId}::uuid
    ${pattern ? sql`and (address ilike ${pattern} or name ilike ${pattern})` : sql``}`
  const after = afterCursor(query.cursor, sort, sql`id`)
  const { rows } = await sql<MailboxRow & { sort_key: string }>`
    select *, created_at::text as sort_key ${from} ${after ? sql`and ${after}` : sql``}
    order by ${orderBy(sort, sql`id`)} limit ${limit + 1}`.execute(tx.sql)
  return { ...page(rows, limit, sort, view), total: await countRows(tx, from, query.count === 'exact') }
}

/** The one that a ticket's mail came by, else the first; null where the workspace takes no mail for tickets. */
export async function mailboxFor(tx: Tx, ticketId: string): Promise<MailboxRow | null> {
  const { rows } = await sql<MailboxRow>`
    select b.* from support.mailboxes b
    left join lateral (
      select max(m.created_at) as last_at from support.ticket_mails m
      where m.workspace_id = b.workspace_id and m.ticket_id = ${ticketId} and m.mailbox_id = b.id) used on true
    where b.workspace_id = ${tx.workspaceId}::uuid and b.purpose = 'tickets'
    order by used.last_at desc nulls last, b.created_at, b.id limit 1`.execute(tx.sql)
  return rows[0] ?? null
}

/** By the ids of their addresses. */
export async function mailboxesOf(tx: Tx, addressIds: readonly string[]): Promise<Map<string, MailboxRow>> {
  if (!addressIds.length) return new Map()
  const rows = await tx.sql
    .selectFrom('support.mailboxes')
    .selectAll()
    .where('address_id', 'in', [...new Set(addressIds)])
    .execute()
  return new Map(rows.map((row) => [row.address_id, row]))
}

function readAddress(text: string): string {
  const address = normalizeAddress(text.trim())?.toLowerCase()
  if (!address) throw Invalid.at('/address', 'format', 'This is not an address that mail can be sent to.')
  // What stands behind a plus sign is ours: it tells which ticket an answer belongs to.
  if (address.split('@')[0]!.includes('+')) {
    throw Invalid.at('/address', 'plus_sign', 'Give the address without a plus sign and what follows it.')
  }
  return address
}

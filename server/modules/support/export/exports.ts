/** Exports of tickets: how one begins, who knows of it, and what is kept. The rest is in `platform/exports`. */
import './tables.ts'
import { sql } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { Invalid } from '#platform/errors.ts'
import { fileNameOf, keptExports, type Seen } from '#platform/exports/exports.ts'
import { newId } from '#platform/ids.ts'
import type { Person } from '#platform/privacy/personal-data.ts'
import { patternsOf, tracesOf } from '#platform/privacy/scrub.ts'
import { requireHouse, seesAllTickets } from '../access.ts'
import { ticketOrder } from '../ticket-query.ts'
import { planExport } from './columns.ts'
import { countMeant, fromMeant } from './reader.ts'
import type { ExportRequest } from './requests.ts'
import type { TicketExport, TicketExportWithJob } from './tables.ts'

export const exportJobKind = 'support.export'

export const exportsRoom = keptExports<TicketExport>({ table: 'support.exports', more: ['tickets_chosen', 'sees_all'] })

/** Checks what can be known in advance, so that a wrong column is told now and not by a failed job. */
export async function beginExport(tx: Tx, actor: Actor, request: ExportRequest): Promise<TicketExportWithJob> {
  requireHouse(actor)
  if (request.ticket_ids && Object.keys(request.filter).length) {
    throw Invalid.at('/ticket_ids', 'ambiguous', 'Say which are meant by ticket_ids or by filter, not by both.')
  }
  planExport(request)
  ticketOrder(request.sort)
  const total = await countMeant(tx, await fromMeant(tx, actor, request))
  const id = newId()
  const { ticket_ids: chosen, ...asked } = request
  const data = { export_id: id, actor: { ...actor, email: null } }
  await tx.sql
    .insertInto('support.exports')
    .values({
      workspace_id: tx.workspaceId,
      id,
      format: request.format,
      request: JSON.stringify(asked),
      ticket_ids: chosen ?? null,
      tickets_chosen: chosen?.length ?? null,
      sees_all: seesAllTickets(actor),
      job_id: await tx.enqueue(exportJobKind, data, { createdBy: actor.id, total }),
      file_name: fileNameOf('tickets', request.format, tx.now),
      created_by: actor.id,
      created_by_name: actor.name,
      created_at: tx.now,
    })
    .execute()
  return exportsRoom.getExport(tx, id)
}

/** One's own, unless it may hold tickets that one does not see any more; whoever sees all tickets knows of all. */
export function seenBy(actor: Actor): Seen {
  if (seesAllTickets(actor)) return sql<boolean>`true`
  return sql<boolean>`(e.created_by = ${actor.id}::uuid and not e.sees_all)`
}

/** What the export was asked for, whole. */
export async function requestOfExport(tx: Tx, { id, request }: TicketExport): Promise<ExportRequest> {
  const row = await tx.sql
    .selectFrom('support.exports')
    .select('ticket_ids')
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  return row.ticket_ids ? { ...request, ticket_ids: row.ticket_ids } : request
}

/** What was looked for can name a person who is erased; an export that still waits for it has nobody to find. */
export async function forgetAsked(tx: Tx, person: Person): Promise<void> {
  const patterns = patternsOf([...tracesOf(person), ...person.contactIds])
  await sql`
    update support.exports e
    set request = e.request - 'filter',
      deleted_at = case when e.finished_at is null then coalesce(e.deleted_at, ${tx.now}::timestamptz) else e.deleted_at end
    where e.workspace_id = ${tx.workspaceId}::uuid and lower(e.request ->> 'filter') like any(${patterns}::text[])`.execute(
    tx.sql,
  )
}

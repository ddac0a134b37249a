/**
 * Messages follow a person whose contacts are merged, and go back when the merge is undone. What a worker has in hand stays
 * where it is, and so does a second message of one campaign: a campaign has one row for each person.
 */
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import type { Event } from '#platform/events/outbox.ts'
import { isId } from '#platform/ids.ts'
import { when } from '#platform/module.ts'

interface Merge {
  id: string
  primaryId: string
  mergedIds: string[]
  /** Where the survivor gets mail. */
  email: string
  fullName: string
}

async function followMerges(tx: Tx, events: Event[]): Promise<void> {
  for (const merge of events.flatMap(read)) {
    await moveDeliveries(tx, merge)
    await moveClicks(tx, merge)
    await moveMessages(tx, merge)
  }
  // A merge can be undone for thirty days; a little more, because events may come late.
  await sql`
    delete from communication.merged_rows
    where workspace_id = ${tx.workspaceId} and noted_at < ${tx.now}::timestamptz - interval '40 days'`.execute(tx.sql)
}

/** What waits to be sent will go to the survivor's address, whose consent is asked when it does. */
async function moveDeliveries(tx: Tx, { id, primaryId, mergedIds, email, fullName }: Merge): Promise<void> {
  await sql`
    with held as materialized (
      select id, campaign_id, contact_id, state, email, full_name, domain from communication.deliveries d
      where d.workspace_id = ${tx.workspaceId} and d.contact_id = any(${mergedIds}::uuid[])
        and d.state in ('queued', 'sent', 'failed', 'skipped')
        and not exists (select from communication.deliveries p
          where p.workspace_id = d.workspace_id and p.campaign_id = d.campaign_id and p.contact_id = ${primaryId})
      order by d.id for no key update),
    own as materialized (
      select distinct on (campaign_id) * from held order by campaign_id, array_position(${mergedIds}::uuid[], contact_id)),
    noted as (
      insert into communication.merged_rows (workspace_id, merge_id, table_name, row_key, contact_id, content)
      select ${tx.workspaceId}::uuid, ${id}::uuid, 'communication.deliveries', id::text, contact_id,
        case when state = 'queued' then jsonb_build_object('email', email, 'full_name', full_name, 'domain', domain) end
      from own on conflict do nothing)
    update communication.deliveries d set contact_id = ${primaryId},
      email = case when own.state = 'queued' then ${email} else d.email end,
      full_name = case when own.state = 'queued' then ${fullName} else d.full_name end,
      domain = case when own.state = 'queued' then lower(split_part(${email}, '@', 2)) else d.domain end
    from own where d.workspace_id = ${tx.workspaceId} and d.id = own.id`.execute(tx.sql)
}

async function moveClicks(tx: Tx, { id, primaryId, mergedIds }: Merge): Promise<void> {
  await sql`
    with own as materialized (
      select distinct on (campaign_id, number) campaign_id, number, contact_id from communication.link_clicks c
      where c.workspace_id = ${tx.workspaceId} and c.contact_id = any(${mergedIds}::uuid[])
        and not exists (select from communication.link_clicks p
          where p.workspace_id = c.workspace_id and p.campaign_id = c.campaign_id and p.number = c.number and p.contact_id = ${primaryId})
      order by campaign_id, number, array_position(${mergedIds}::uuid[], contact_id)),
    noted as (
      insert into communication.merged_rows (workspace_id, merge_id, table_name, row_key, contact_id)
      select ${tx.workspaceId}::uuid, ${id}::uuid, 'communication.link_clicks', campaign_id || ' ' || number, contact_id
      from own on conflict do nothing)
    update communication.link_clicks c set contact_id = ${primaryId} from own
    where c.workspace_id = ${tx.workspaceId} and c.campaign_id = own.campaign_id and c.number = own.number
      and c.contact_id = own.contact_id`.execute(tx.sql)
}

async function moveMessages(tx: Tx, { id, primaryId, mergedIds }: Merge): Promise<void> {
  await sql`
    with own as materialized (
      select id, contact_id from communication.sandbox_messages
      where workspace_id = ${tx.workspaceId} and contact_id = any(${mergedIds}::uuid[]) for update),
    noted as (
      insert into communication.merged_rows (workspace_id, merge_id, table_name, row_key, contact_id)
      select ${tx.workspaceId}::uuid, ${id}::uuid, 'communication.sandbox_messages', id::text, contact_id
      from own on conflict do nothing)
    update communication.sandbox_messages m set contact_id = ${primaryId} from own
    where m.workspace_id = ${tx.workspaceId} and m.id = own.id`.execute(tx.sql)
}

/** What was sent to the survivor's address since stays the survivor's. */
async function followUndone(tx: Tx, events: Event[]): Promise<void> {
  for (const { id, primaryId } of events.flatMap(read)) {
    const noted = (table: string) =>
      sql`m.workspace_id = ${tx.workspaceId} and m.merge_id = ${id} and m.table_name = ${table}`
    await sql`
      update communication.deliveries d set contact_id = m.contact_id, email = coalesce(m.content ->> 'email', d.email),
        full_name = coalesce(m.content ->> 'full_name', d.full_name), domain = coalesce(m.content ->> 'domain', d.domain)
      from communication.merged_rows m
      where ${noted('communication.deliveries')} and d.workspace_id = m.workspace_id and d.id = m.row_key::uuid
        and d.contact_id = ${primaryId} and (m.content is null or d.state = 'queued')
        and not exists (select from communication.deliveries o
          where o.workspace_id = d.workspace_id and o.campaign_id = d.campaign_id and o.contact_id = m.contact_id)`.execute(
      tx.sql,
    )
    await sql`
      update communication.link_clicks c set contact_id = m.contact_id from communication.merged_rows m
      where ${noted('communication.link_clicks')} and c.workspace_id = m.workspace_id
        and c.campaign_id = split_part(m.row_key, ' ', 1)::uuid and c.number = split_part(m.row_key, ' ', 2)::int
        and c.contact_id = ${primaryId}
        and not exists (select from communication.link_clicks o
          where o.workspace_id = c.workspace_id and o.campaign_id = c.campaign_id and o.number = c.number
            and o.contact_id = m.contact_id)`.execute(tx.sql)
    await sql`
      update communication.sandbox_messages s set contact_id = m.contact_id from communication.merged_rows m
      where ${noted('communication.sandbox_messages')} and s.workspace_id = m.workspace_id and s.id = m.row_key::uuid
        and s.contact_id = ${primaryId}`.execute(tx.sql)
    await sql`
      delete from communication.merged_rows m where m.workspace_id = ${tx.workspaceId} and m.merge_id = ${id}`.execute(
      tx.sql,
    )
  }
}

function read({ data }: Event): Merge[] {
  const { merge_id: id, primary_id: primaryId, merged_ids: mergedIds, email, full_name: fullName } = data
  const ids = [id, primaryId, ...(Array.isArray(mergedIds) ? mergedIds : [])].map(String)
  if (!Array.isArray(mergedIds) || !ids.every(isId) || typeof email !== 'string') return []
  return [{ id: ids[0]!, primaryId: ids[1]!, mergedIds: ids.slice(2), email, fullName: String(fullName ?? '') }]
}

export const mergedContactReactions = [
  when('contact.merged', 'communication.follow_merges', followMerges),
  when('contact.unmerged', 'communication.follow_unmerges', followUndone),
]

/** Who of a wave is there already, and the contacts that are new. */
import { sql } from 'kysely'
import type { StagedColumn } from '../columns.ts'
import { subscribes } from './wishes.ts'
import type { Wave } from './plan.ts'

/** Columns of a contact that are never null: their empty value, which a merge may fill. */
export const emptyValues: Partial<Record<StagedColumn, string>> = {
  first_name: `''`,
  last_name: `''`,
  notes: `''`,
  lifetime_value: '0',
  total_orders: '0',
  total_appointments: '0',
  total_bookings: '0',
}

const writtenApart = new Set<StagedColumn>([
  ...(['email', 'tag_refs', 'status', 'created_at', 'updated_at'] as const),
  ...(['newsletter_subscribed', 'marketing_subscribed'] as const),
])

/**
 * By address; the deleted do not count. Failing that, by an address that a record had which was merged into them, where no
 * other row of the wave means the same contact: a wave names each contact once. Answers how many.
 */
export async function matchKnown({ tx, wave }: Wave): Promise<number> {
  const { numAffectedRows } = await sql`
    update pg_temp.import_rows r set contact_id = c.id
    from contacts.contacts c
    where r.wave = ${wave} and c.workspace_id = ${tx.workspaceId} and c.email_key = r.email_key and c.deleted_at is null
  `.execute(tx.sql)
  const former = await sql`
    with meant as (
      select distinct on (c.id) r.line, c.id
      from pg_temp.import_rows r
      join contacts.contact_addresses a on a.workspace_id = ${tx.workspaceId} and a.email_key = r.email_key
      join contacts.contacts c on c.workspace_id = a.workspace_id and c.id = a.contact_id and c.deleted_at is null
      where r.wave = ${wave} and r.contact_id is null
        and not exists (select from pg_temp.import_rows o where o.wave = ${wave} and o.contact_id = c.id)
      order by c.id, r.line)
    update pg_temp.import_rows r set contact_id = m.id
    from (select distinct on (line) line, id from meant order by line, id) m
    where r.wave = ${wave} and r.line = m.line`.execute(tx.sql)
  return Number(numAffectedRows ?? 0) + Number(former.numAffectedRows ?? 0)
}

/** Answers how many are new, and how many somebody else made in the same moment. */
export async function insertNew(at: Wave): Promise<{ created: number; met: number }> {
  const { tx, plan, wave, has } = at
  const plain = plan.columns.filter((name) => !writtenApart.has(name))
  const values = plain.map((name) => {
    const empty = name === 'custom_fields' ? `'{}'` : name === 'language' ? `'en'` : emptyValues[name]
    return sql.raw(empty ? `coalesce(r.${name}, ${empty})` : `r.${name}`)
  })
  const names = plain.map((name) => sql`, ${sql.ref(name)}`)
  const newsletter = subscribes(at, 'newsletter')
  const marketing = subscribes(at, 'marketing')
  const status = has.has('status') ? sql`coalesce(r.status, 'active')` : sql`'active'`
  const { numAffectedRows } = await sql`
    insert into contacts.contacts (workspace_id, id, email, import_id, newsletter_subscribed, marketing_subscribed, status,
      subscribed_at, unsubscribed_at, created_at, updated_at ${sql.join(names, sql``)})
    select ${tx.workspaceId}, r.id, r.email, ${plan.importId}, ${newsletter}, ${marketing}, ${status},
      case when ${newsletter} or ${marketing} then ${tx.now}::timestamptz end,
      case when ${status} <> 'active' then ${tx.now}::timestamptz end,
      ${has.has('created_at') ? sql`coalesce(r.created_at, ${tx.now})` : tx.now}, ${tx.now}
      ${values.length ? sql`, ${sql.join(values)}` : sql``}
    from pg_temp.import_rows r where r.wave = ${wave} and r.contact_id is null
    on conflict (workspace_id, email_key) where deleted_at is null do nothing
  `.execute(tx.sql)
  const created = Number(numAffectedRows ?? 0)
  // Somebody else made the same person between the two statements: then this row meets theirs.
  const late = await sql`
    update pg_temp.import_rows r set contact_id = c.id
    from contacts.contacts c
    where r.wave = ${wave} and r.contact_id is null
      and ${created} < (select count(*) from pg_temp.import_rows n where n.wave = ${wave} and n.contact_id is null)
      and c.workspace_id = ${tx.workspaceId} and c.email_key = r.email_key and c.deleted_at is null and c.id <> r.id
  `.execute(tx.sql)
  return { created, met: Number(late.numAffectedRows ?? 0) }
}

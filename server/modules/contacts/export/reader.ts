/**
 * Reads the contacts of an export in batches from one snapshot: what is written is what was there at one moment, however
 * long the file takes, and a million of them need no more memory than a thousand.
 */
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import type { ExportPlan } from './columns.ts'
import type { ConsentState, ExportRow } from './fields.ts'
import type { Matching } from './matching.ts'

const batchSize = 1_000

/** `tx` has to be this reader's alone until it ends. */
export async function* readContacts(tx: Tx, plan: ExportPlan, matching: Matching): AsyncGenerator<ExportRow[]> {
  // A plan that is good to the last row, not only for the first ones.
  await sql`set local cursor_tuple_fraction = 1`.execute(tx.sql)
  await sql`
    declare exported no scroll cursor for
    select ${sql.join(plan.reads.map((name) => columnOf(name, plan)))} ${matching.from}
    order by ${matching.order}`.execute(tx.sql)
  for (;;) {
    const { rows } = await tx.rawQuery<ExportRow>(`fetch ${batchSize} from exported`)
    if (rows.length) {
      await gather(tx, plan, rows)
      yield rows
    }
    if (rows.length < batchSize) return
  }
}

const times = new Set(
  'subscribed_at unsubscribed_at last_email_opened_at last_email_clicked_at last_engaged_at first_order_date last_order_date first_appointment_date last_appointment_date last_booking_date created_at updated_at deleted_at'.split(
    ' ',
  ),
)

function columnOf(name: string, { exact, exactTimes }: ExportPlan) {
  const column = sql.ref(`c.${name}`)
  if (exactTimes && times.has(name)) {
    const text = sql`to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US')`
    return sql`rtrim(rtrim(${text}, '0'), '.') || 'Z' as ${sql.ref(name)}`
  }
  if (exact && name === 'custom_fields')
    return sql`coalesce((select jsonb_object_agg(key, value) from jsonb_each_text(${column})), '{}') as custom_fields`
  return column
}

async function gather(tx: Tx, { gathers }: ExportPlan, rows: ExportRow[]): Promise<void> {
  const ids = rows.map(({ id }) => id)
  const tags = gathers.has('tags') ? await tagsOf(tx, ids) : null
  const lists = gathers.has('lists') ? await listsOf(tx, ids) : null
  const consents = gathers.has('consents') ? await consentsOf(tx, ids) : null
  for (const row of rows) {
    row.tags = tags?.get(row.id) ?? []
    row.lists = lists?.get(row.id) ?? []
    row.consents = consents?.get(row.id) ?? {}
  }
}

async function tagsOf(tx: Tx, ids: string[]): Promise<Map<string, string[]>> {
  const { rows } = await sql<{ id: string; names: string[] }>`
    select ct.contact_id as id, array_agg(t.name order by t.priority desc, t.name) as names
    from contacts.contact_tags ct join contacts.tags t on t.workspace_id = ct.workspace_id and t.id = ct.tag_id
    where ct.workspace_id = ${tx.workspaceId} and ct.contact_id = any(${ids}::uuid[]) group by 1`.execute(tx.sql)
  return new Map(rows.map(({ id, names }) => [id, names]))
}

async function listsOf(tx: Tx, ids: string[]): Promise<Map<string, ExportRow['lists']>> {
  const { rows } = await sql<{ id: string; lists: ExportRow['lists'] }>`
    select m.contact_id as id, jsonb_agg(jsonb_build_object('id', l.id, 'name', l.name) order by l.name) as lists
    from contacts.list_members m join contacts.lists l on l.workspace_id = m.workspace_id and l.id = m.list_id
    where m.workspace_id = ${tx.workspaceId} and m.contact_id = any(${ids}::uuid[]) and l.deleted_at is null
    group by 1`.execute(tx.sql)
  return new Map(rows.map(({ id, lists }) => [id, lists]))
}

async function consentsOf(tx: Tx, ids: string[]): Promise<Map<string, ExportRow['consents']>> {
  const { rows } = await sql<ConsentState & { id: string; purpose: string }>`
    with record as (
      select id as owner_id, id as contact_id, null::timestamptz as merged_at from unnest(${ids}::uuid[]) as id
      union all
      select merged_into, id, merged_at from contacts.contacts
      where workspace_id = ${tx.workspaceId} and merged_into = any(${ids}::uuid[])
    ), said as (
      select distinct on (r.owner_id, r.contact_id, k.purpose) r.owner_id, r.merged_at, k.purpose, k.decision, k.recorded_at
      from record r join contacts.consents k on k.workspace_id = ${tx.workspaceId} and k.contact_id = r.contact_id
      order by r.owner_id, r.contact_id, k.purpose, k.recorded_at desc, k.id desc
    )
    -- Of records that were merged, the "no" of any, unless the contact has said something since.
    select distinct on (owner_id, purpose) owner_id as id, purpose, decision, recorded_at
    from said
    where merged_at is null or not exists (
      select from said own where own.owner_id = said.owner_id and own.purpose = said.purpose and own.merged_at is null
        and own.recorded_at > said.merged_at)
    order by owner_id, purpose, decision = 'withdrawn' desc, recorded_at desc`.execute(tx.sql)
  const found = new Map<string, ExportRow['consents']>()
  for (const { id, purpose, decision, recorded_at } of rows) {
    const states = found.get(id) ?? {}
    states[purpose] = { decision, recorded_at }
    found.set(id, states)
  }
  return found
}

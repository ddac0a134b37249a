/** Takes the rows of merged contacts to their survivor, and gives them back; each statement notes what it does. */
import { sql, type RawBuilder } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import { listsToAsk } from './dynamic-lists.ts'
import { relations, type Relation } from './relations.ts'
import type { Kept } from './tables.ts'

interface Parties {
  mergeId: string
  primaryId: string
  /** In the order in which they were named: of two that have the same, the first one's is kept. */
  duplicateIds: readonly string[]
}

type Followed = Exclude<Relation, { how: 'stays' }>

const followed = Object.entries(relations).filter((entry): entry is [string, Followed] => entry[1].how !== 'stays')

/** Answers how many rows of each table went along. A second time takes what came in between, and nothing twice. */
export async function moveRows(tx: Tx, parties: Parties): Promise<Record<string, number>> {
  const moved: Record<string, number> = {}
  for (const [table, relation] of followed) {
    const count =
      relation.how === 'move' ? await move(tx, parties, table, relation) : await join(tx, parties, table, relation)
    if (count) moved[table] = count
  }
  return moved
}

async function move(
  tx: Tx,
  { mergeId, primaryId, duplicateIds }: Parties,
  table: string,
  { key }: Followed,
): Promise<number> {
  // One statement, so that a row which comes this moment is either noted and moved, or neither.
  const { rows } = await sql<{ count: number }>`
    with own as materialized (
      select ${sql.ref(key)} as key, contact_id from ${sql.table(table)}
      where workspace_id = ${tx.workspaceId} and contact_id = any(${duplicateIds}::uuid[]) for update),
    noted as (
      insert into contacts.merge_moves (workspace_id, merge_id, table_name, row_key, contact_id, action)
      select ${tx.workspaceId}::uuid, ${mergeId}::uuid, ${table}, key::text, contact_id, 'moved' from own
      on conflict do nothing),
    moved as (
      update ${sql.table(table)} t set contact_id = ${primaryId} from own
      where t.workspace_id = ${tx.workspaceId} and t.contact_id = own.contact_id and t.${sql.ref(key)} = own.key
      returning 1)
    select count(*) as count from moved`.execute(tx.sql)
  return rows[0]!.count
}

async function join(
  tx: Tx,
  { mergeId, primaryId, duplicateIds }: Parties,
  table: string,
  relation: Followed & { how: 'unless_there' },
): Promise<number> {
  const key = sql.ref(relation.key)
  await lockParents(
    tx,
    relation,
    sql`select t.${key} from ${sql.table(table)} t
    where t.workspace_id = ${tx.workspaceId} and t.contact_id = any(${duplicateIds}::uuid[])`,
  )
  const { rows } = await sql<{ count: number }>`
    with own as materialized (
      select t.${key} as key, t.contact_id, to_jsonb(t) as content,
        row_number() over (partition by t.${key} order by array_position(${duplicateIds}::uuid[], t.contact_id)) > 1
          or exists (select from ${sql.table(table)} p
            where p.workspace_id = t.workspace_id and p.contact_id = ${primaryId} and p.${key} = t.${key}) as is_double
      from ${sql.table(table)} t where t.workspace_id = ${tx.workspaceId} and t.contact_id = any(${duplicateIds}::uuid[])),
    noted as (
      insert into contacts.merge_moves (workspace_id, merge_id, table_name, row_key, contact_id, action, content)
      select ${tx.workspaceId}::uuid, ${mergeId}::uuid, ${table}, key::text, contact_id,
        case when is_double then 'dropped' else 'moved' end, content
      from own on conflict do nothing),
    dropped as (
      delete from ${sql.table(table)} t using own
      where own.is_double and t.workspace_id = ${tx.workspaceId} and t.contact_id = own.contact_id and t.${key} = own.key),
    moved as (
      update ${sql.table(table)} t set contact_id = ${primaryId} from own
      where not own.is_double and t.workspace_id = ${tx.workspaceId} and t.contact_id = own.contact_id and t.${key} = own.key
      returning 1)
    select count(*) as count from moved`.execute(tx.sql)
  return rows[0]!.count
}

/** The rows go back to whose they were; answers what could not, because somebody has taken it away since. */
export async function giveRowsBack(tx: Tx, mergeId: string, primaryId: string): Promise<Kept[]> {
  const kept: Kept[] = []
  await takeAway(tx, mergeId, primaryId)
  for (const [table, relation] of followed) {
    const missing =
      relation.how === 'move'
        ? await giveBack(tx, mergeId, primaryId, table, relation)
        : await partAgain(tx, mergeId, primaryId, table, relation)
    if (missing) kept.push({ what: table, reason: 'gone', count: missing })
  }
  return kept
}

/** What the merge itself had given to the survivor. */
async function takeAway(tx: Tx, mergeId: string, primaryId: string): Promise<void> {
  for (const [table, { key, type }] of followed) {
    await sql`
      delete from ${sql.table(table)} t using contacts.merge_moves m
      where ${noted(tx, mergeId, table)} and m.action = 'added'
        and t.workspace_id = m.workspace_id and t.contact_id = ${primaryId} and t.${sql.ref(key)} = m.row_key::${sql.raw(type)}`.execute(
      tx.sql,
    )
  }
}

async function giveBack(
  tx: Tx,
  mergeId: string,
  primaryId: string,
  table: string,
  { key, type }: Followed,
): Promise<number> {
  const { rows } = await sql<{ missing: number }>`
    with back as (
      update ${sql.table(table)} t set contact_id = m.contact_id from contacts.merge_moves m
      where ${noted(tx, mergeId, table)} and m.action = 'moved'
        and t.workspace_id = m.workspace_id and t.contact_id = ${primaryId} and t.${sql.ref(key)} = m.row_key::${sql.raw(type)}
      returning 1)
    select (select count(*) from contacts.merge_moves m where ${noted(tx, mergeId, table)} and m.action = 'moved')
      - (select count(*) from back) as missing`.execute(tx.sql)
  return rows[0]!.missing
}

/** As they were, dates and all; what the survivor has no longer is made again for whose it was, unless its tag or list is gone. */
async function partAgain(
  tx: Tx,
  mergeId: string,
  primaryId: string,
  table: string,
  relation: Followed & { how: 'unless_there' },
): Promise<number> {
  const { key: name, type, columns, parent } = relation
  const key = sql.ref(name)
  const target = sql.table(table)
  const asKey = sql`m.row_key::${sql.raw(type)}`
  const asked =
    table === 'contacts.list_members' ? sql`union select id from (${listsToAsk(tx, mergeId)}) as asked` : sql``
  await lockParents(
    tx,
    relation,
    sql`select ${asKey} from contacts.merge_moves m where ${noted(tx, mergeId, table)} ${asked}`,
  )
  const restored = sql.join(columns.map((column) => sql`${sql.ref(column)} = ${sql.ref(`r.${column}`)}`))
  await sql`
    update ${target} t set contact_id = m.contact_id, ${restored}
    from contacts.merge_moves m, lateral jsonb_populate_record(null::${target}, m.content) as r
    where ${noted(tx, mergeId, table)} and m.action = 'moved'
      and t.workspace_id = m.workspace_id and t.contact_id = ${primaryId} and t.${key} = ${asKey}
      and not exists (select from ${target} o
        where o.workspace_id = m.workspace_id and o.contact_id = m.contact_id and o.${key} = t.${key})`.execute(tx.sql)
  const names = sql.join(columns.map((column) => sql.ref(column)))
  const values = sql.join(columns.map((column) => sql.ref(`r.${column}`)))
  const isThere = parent
    ? sql`exists (select from ${sql.table(parent)} p where p.workspace_id = m.workspace_id and p.id = ${asKey})`
    : sql`true`
  await sql`
    insert into ${target} (workspace_id, contact_id, ${names})
    select m.workspace_id, m.contact_id, ${values}
    from contacts.merge_moves m, lateral jsonb_populate_record(null::${target}, m.content) as r
    where ${noted(tx, mergeId, table)} and m.action in ('moved', 'dropped') and ${isThere}
    on conflict do nothing`.execute(tx.sql)
  const { rows } = await sql<{ missing: number }>`
    select count(*) as missing from contacts.merge_moves m
    where ${noted(tx, mergeId, table)} and m.action in ('moved', 'dropped') and not ${isThere}`.execute(tx.sql)
  return rows[0]!.missing
}

/** In the order of their ids, as everybody does whose change they count. */
async function lockParents(
  tx: Tx,
  { parent }: Followed & { how: 'unless_there' },
  keys: RawBuilder<unknown>,
): Promise<void> {
  if (!parent) return
  await sql`
    select from ${sql.table(parent)} where workspace_id = ${tx.workspaceId} and id in (${keys})
    order by id for no key update`.execute(tx.sql)
}

function noted(tx: Tx, mergeId: string, table: string): RawBuilder<unknown> {
  return sql`m.workspace_id = ${tx.workspaceId} and m.merge_id = ${mergeId} and m.table_name = ${table}`
}

/** The tags and the list that come with a file. */
import { sql } from 'kysely'
import { ruleFor } from '../policy.ts'
import type { Expression, Wave } from './plan.ts'

export async function addTags(at: Wave, someKnown: boolean): Promise<void> {
  const { tx, plan, has } = at
  if (!has.has('tag_refs')) return
  await pairs(at, sql`r.contact_id is null`).execute(tx.sql)
  if (!someKnown || plan.duplicates === 'skip') return
  if (replaces(at)) await removeOthers(at)
  await sql`
    with added as (
      ${pairs(at, sql`r.contact_id is not null and ${mayAdd(at)}`)} on conflict do nothing returning contact_id, tag_id
    ), kept as (
      insert into contacts.import_changes as i (workspace_id, import_id, contact_id, tags_added)
      select ${tx.workspaceId}, ${plan.importId}, contact_id, array_agg(tag_id) from added group by contact_id
      on conflict (workspace_id, import_id, contact_id) do update set tags_added = i.tags_added || excluded.tags_added
    )
    update pg_temp.import_rows r set changed = true
    where r.wave = ${at.wave} and r.contact_id in (select contact_id from added)
  `.execute(tx.sql)
}

function pairs({ tx, plan, staged, wave }: Wave, whose: Expression) {
  return sql`
    insert into contacts.contact_tags (workspace_id, tag_id, contact_id, tagged_at, tagged_by)
    select ${tx.workspaceId}, (${[...staged.tagIds]}::uuid[])[ref], coalesce(r.contact_id, r.id), ${tx.now}, ${plan.createdBy}::uuid
    from pg_temp.import_rows r, unnest(r.tag_refs) as ref
    where r.wave = ${wave} and ${whose}`
}

function replaces({ plan }: Wave): boolean {
  return ['overwrite', 'newest'].includes(ruleFor(plan, 'tags'))
}

/** Under `newest` an older row only fills, like everywhere. */
const isNewer = sql`exists (select from contacts.contacts c
  where c.workspace_id = platform.workspace_id() and c.id = r.contact_id and c.updated_at < r.updated_at)`

export function mayAdd({ tx, plan }: Wave): Expression {
  const rule = ruleFor(plan, 'tags')
  if (rule === 'append' || rule === 'overwrite') return sql`true`
  const untagged = sql`not exists (select from contacts.contact_tags t
    where t.workspace_id = ${tx.workspaceId} and t.contact_id = r.contact_id)`
  return rule === 'newest' ? sql`(${isNewer} or ${untagged})` : untagged
}

async function removeOthers({ tx, plan, staged, wave }: Wave): Promise<void> {
  const newer = ruleFor(plan, 'tags') === 'newest' ? sql`and ${isNewer}` : sql``
  await sql`
    with removed as (
      delete from contacts.contact_tags t using pg_temp.import_rows r
      where r.wave = ${wave} and r.contact_id is not null and r.tag_refs is not null ${newer}
        and t.workspace_id = ${tx.workspaceId} and t.contact_id = r.contact_id
        and t.tag_id not in (select (${[...staged.tagIds]}::uuid[])[ref] from unnest(r.tag_refs) as ref)
      returning t.contact_id, t.tag_id
    ), kept as (
      insert into contacts.import_changes as i (workspace_id, import_id, contact_id, tags_removed)
      select ${tx.workspaceId}, ${plan.importId}, contact_id, array_agg(tag_id) from removed group by contact_id
      on conflict (workspace_id, import_id, contact_id) do update
        set tags_removed = i.tags_removed || excluded.tags_removed
    )
    update pg_temp.import_rows r set changed = true
    where r.wave = ${wave} and r.contact_id in (select contact_id from removed)
  `.execute(tx.sql)
}

/** Everybody in the file is on the list afterwards, also whoever was there and is otherwise left alone. */
export async function addToList({ tx, plan, wave }: Wave, someKnown: boolean): Promise<void> {
  const members = (whose: Expression) => sql`
    insert into contacts.list_members (workspace_id, list_id, contact_id, added_at, added_by)
    select ${tx.workspaceId}, ${plan.listId}, coalesce(r.contact_id, r.id), ${tx.now}, ${plan.createdBy}::uuid
    from pg_temp.import_rows r where r.wave = ${wave} and ${whose}`
  await members(sql`r.contact_id is null`).execute(tx.sql)
  if (!someKnown) return
  await sql`
    with added as (
      ${members(sql`r.contact_id is not null`)} on conflict do nothing returning contact_id
    )
    insert into contacts.import_changes as i (workspace_id, import_id, contact_id, listed)
    select ${tx.workspaceId}, ${plan.importId}, contact_id, true from added
    on conflict (workspace_id, import_id, contact_id) do update set listed = true
  `.execute(tx.sql)
}

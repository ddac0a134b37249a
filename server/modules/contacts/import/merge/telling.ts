/** What a wave tells: an entry in the timeline of everybody it made or changed, and their events. */
import { sql } from 'kysely'
import { publishBundles } from '#platform/events/outbox.ts'
import type { StagedColumn } from '../columns.ts'
import type { Expression, Wave } from './plan.ts'

export async function tellTimeline({ tx, plan, wave }: Wave): Promise<void> {
  const isNew = wave < 0 ? sql`false` : sql`r.contact_id is null`
  await sql`
    insert into contacts.interactions (workspace_id, id, contact_id, interaction_type, description, metadata, occurred_at,
      recorded_at, actor_id, actor_name)
    select ${tx.workspaceId}, r.id, coalesce(r.contact_id, r.id), 'imported', ${plan.fileName},
      jsonb_build_object('import_id', ${plan.importId}::text, 'line', r.line, 'created', r.contact_id is null),
      ${tx.now}, ${tx.now}, ${plan.createdBy}::uuid, ${plan.createdByName}
    from pg_temp.import_rows r where r.wave = ${wave} and (${isNew} or r.changed)
  `.execute(tx.sql)
}

/** Both names of each event, with the contact as it is now, in bundles: see docs/decisions/0011. */
export async function publishAll(at: Wave, someKnown: boolean): Promise<void> {
  const { plan, has, wave } = at
  // Of somebody new, everything stands in the staged row already.
  const staged = (name: StagedColumn, otherwise: string): Expression =>
    sql.raw(has.has(name) ? `coalesce(r.${name}, ${otherwise})` : otherwise)
  const made = sql`
    select '.created' as verb, r.contact_event, r.customer_event, r.line, r.id, r.email,
      ${staged('first_name', `''`)} as first_name, ${staged('last_name', `''`)} as last_name,
      ${staged('company', 'null::text')} as company, ${staged('source', 'null::text')} as source
    from pg_temp.import_rows r where r.wave = ${wave} and r.contact_id is null and r.wave >= 0`
  const changed = sql`
    select '.updated', r.contact_event, r.customer_event, r.line, c.id, c.email, c.first_name, c.last_name, c.company, c.source
    from pg_temp.import_rows r
    join contacts.contacts c on c.workspace_id = ${at.tx.workspaceId} and c.id = r.contact_id
    where r.wave = ${wave} and r.contact_id is not null and r.changed`
  const all = someKnown ? sql`${made} union all ${changed}` : made
  // The ids are the rows' own: an event keeps its id however often its bundle is opened.
  await publishBundles(
    at.tx,
    plan.importId,
    sql`
      select noun || verb, case noun when 'contact' then contact_event else customer_event end, id, data,
        row_number() over (partition by noun order by line)
      from (
        select verb, contact_event, customer_event, line, id,
          jsonb_build_object('contact_id', id, 'customer_id', id, 'email', email, 'first_name', first_name,
            'last_name', last_name, 'full_name', trim(first_name || ' ' || last_name), 'company', company,
            'source', source, 'import_id', ${plan.importId}::text) as data
        from (${all}) as contact offset 0) as told
      cross join (values ('contact'), ('customer')) as e (noun)`,
  )
}

/** Who a campaign is for: told as lists, tags and a filter, read page by page in the order of ids, and as one number. */
import { sql, type RawBuilder } from 'kysely'
import { Type, type Static } from 'typebox'
import { Compile } from 'typebox/compile'
import type { Tx } from '#platform/db/db.ts'
import { Invalid } from '#platform/errors.ts'
import { Closed, Id } from '#platform/http/shapes.ts'
import { fromMatching } from './contact-query.ts'
import { checkFilter, FilterOrRule, toFilter } from './given-filter.ts'
import type { ContactStatus } from './tables.ts'

/** In any of the lists or with any of the tags (with neither: everybody), and matching the filter. */
export const Audience = Closed(
  {
    list_ids: Type.Optional(Type.Array(Id, { maxItems: 200, default: [] })),
    tags: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 100 }), { maxItems: 200, default: [] })),
    filter: Type.Optional(FilterOrRule),
  },
  { $id: 'Audience' },
)
export type Audience = Static<typeof Audience>

const validator = Compile(Audience)

/** What a stored audience must still look like; throws `Invalid`. */
export function audienceFrom(value: unknown): Audience {
  if (validator.Check(value)) return value
  const [first] = validator.Errors(value)
  throw Invalid.at(
    `/target_audience${first?.instancePath ?? ''}`,
    'audience',
    `This is not an audience: ${first?.message ?? 'its shape is wrong'}.`,
  )
}

/** What the shape alone does not tell: whether the rule of its filter can be read. Throws `Invalid`. */
export async function checkAudience(tx: Tx, audience: Audience | undefined, pointer: string): Promise<void> {
  await checkFilter(tx, audience?.filter, `${pointer}/filter`)
}

export async function countAudience(tx: Tx, audience: Audience): Promise<number> {
  const from = await fromMatching(tx, toFilter(audience.filter), 'whole')
  const groups = await groupsOf(tx, audience)
  const { rows } = await sql<{ count: number }>`
    select count(*) as count ${from} ${groups ? sql`and c.id in (${anyMember(groups)})` : sql``}`.execute(tx.sql)
  return rows[0]!.count
}

/**
 * Up to `limit` ids after `afterId`; fewer mean that these were the last. Contacts that are deleted are never among
 * them. Each page starts where the last one ended, by index, so the millionth costs what the first one costs.
 */
export async function pageAudience(
  tx: Tx,
  audience: Audience,
  afterId: string | null,
  limit: number,
): Promise<{ id: string }[]> {
  const from = await fromMatching(tx, toFilter(audience.filter), 'page')
  const groups = await groupsOf(tx, audience)
  const after = (id: RawBuilder<unknown>) => (afterId ? sql`and ${id} > ${afterId}::uuid` : sql``)
  if (!groups) {
    const { rows } = await sql<{ id: string }>`
      select c.id ${from} ${after(sql`c.id`)} order by c.id limit ${limit}`.execute(tx.sql)
    return rows
  }
  // From each list and tag the next few members that match; the first `limit` of them all are the page.
  const { rows } = await sql<{ id: string }>`
    select distinct next.id from (
      select m.id from unnest(${groups.listIds}::uuid[]) as wanted(id), lateral (
        select l.contact_id as id from contacts.list_members l
        where l.list_id = wanted.id ${after(sql`l.contact_id`)}
          and exists (select ${from} and c.id = l.contact_id offset 0)
        order by l.contact_id limit ${limit}) as m
      union all
      select m.id from unnest(${groups.tagIds}::uuid[]) as wanted(id), lateral (
        select t.contact_id as id from contacts.contact_tags t
        where t.tag_id = wanted.id ${after(sql`t.contact_id`)}
          and exists (select ${from} and c.id = t.contact_id offset 0)
        order by t.contact_id limit ${limit}) as m) as next
    order by next.id limit ${limit}`.execute(tx.sql)
  return rows
}

/** Those of these contacts who are meant. */
export async function amongAudience(tx: Tx, audience: Audience, ids: readonly string[]): Promise<Set<string>> {
  if (!ids.length) return new Set()
  const from = await fromMatching(tx, toFilter(audience.filter), 'page')
  const groups = await groupsOf(tx, audience)
  const { rows } = await sql<{ id: string }>`
    select c.id ${from} and c.id = any(${[...ids]}::uuid[]) ${groups ? sql`and c.id in (${anyMember(groups)})` : sql``}`.execute(
    tx.sql,
  )
  return new Set(rows.map(({ id }) => id))
}

export interface Recipient {
  id: string
  email: string
  first_name: string
  last_name: string
  full_name: string
  company: string | null
  job_title: string | null
  language: string
  timezone: string | null
  custom_fields: Record<string, unknown>
  tags: string[]
  status: ContactStatus
  is_active: boolean
  newsletter_subscribed: boolean
  marketing_subscribed: boolean
  tracking_allowed: boolean
  deleted_at: Date | null
}

/** What a message needs to know of these contacts, deleted ones included; in no particular order. */
export async function recipientsOf(tx: Tx, ids: string[]): Promise<Recipient[]> {
  const { rows } = await sql<Recipient>`
    select c.id, c.email, c.first_name, c.last_name, trim(c.first_name || ' ' || c.last_name) as full_name, c.company,
      c.job_title, c.language, c.timezone, c.custom_fields, c.status, c.is_active, c.newsletter_subscribed,
      c.marketing_subscribed, c.tracking_allowed, c.deleted_at,
      coalesce((
        select jsonb_agg(t.name order by t.name) from contacts.contact_tags ct join contacts.tags t on t.id = ct.tag_id
        where ct.contact_id = c.id), '[]') as tags
    from contacts.contacts c where c.id = any(${ids}::uuid[])`.execute(tx.sql)
  return rows
}

interface Groups {
  listIds: string[]
  tagIds: string[]
}

/** Null: everybody. Lists that are deleted and tags that are gone have nobody. */
async function groupsOf(tx: Tx, { list_ids = [], tags = [] }: Audience): Promise<Groups | null> {
  if (!list_ids.length && !tags.length) return null
  const { rows } = await sql<{ list_ids: string[]; tag_ids: string[] }>`
    select
      array(select id::text from contacts.lists where id = any(${list_ids}::uuid[]) and deleted_at is null) as list_ids,
      array(select id::text from contacts.tags
        where lower(name) in (select lower(name) from unnest(${tags}::text[]) as name)) as tag_ids`.execute(tx.sql)
  return { listIds: rows[0]!.list_ids, tagIds: rows[0]!.tag_ids }
}

function anyMember({ listIds, tagIds }: Groups): RawBuilder<unknown> {
  return sql`select contact_id from contacts.list_members where list_id = any(${listIds}::uuid[])
    union select contact_id from contacts.contact_tags where tag_id = any(${tagIds}::uuid[])`
}

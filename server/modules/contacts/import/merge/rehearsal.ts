/** What a batch would do, found out by reading alone: the counts, and some of the differences, field by field. */
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import { changedValues } from './changing.ts'
import { latestDecision } from './consents.ts'
import { matchKnown } from './matching.ts'
import type { Expression, Keys, MergePlan, Outcome, Staged, Wave } from './plan.ts'
import { markSuppressed, speaksOfConsent, stage } from './staging.ts'
import { mayAdd } from './tagging.ts'
import { refuses, subscribes } from './wishes.ts'

export interface Difference {
  line: number
  /** Null for somebody new. */
  contact_id: string | null
  outcome: 'created' | 'changed'
  field: string
  before: unknown
  after: unknown
}

export interface Rehearsed extends Omit<Outcome, 'undeclaredConsents'> {
  differences: Difference[]
}

export interface RehearsedBatch {
  text: string
  waves: number
  tagNames: readonly string[]
  /** Addresses that an earlier batch of the file had, with the same content or with another. */
  repeatedSame: string[]
  repeatedOther: string[]
  /** Rows of each outcome whose differences are wanted still. */
  wanted: Record<Difference['outcome'], number>
}

export async function rehearseBatch(
  tx: Tx,
  services: Keys,
  plan: MergePlan,
  batch: RehearsedBatch,
): Promise<Rehearsed> {
  await stage(tx, plan.columns, batch.text)
  if (speaksOfConsent(plan)) await markSuppressed(tx, services)
  const staged: Staged = { text: '', waves: batch.waves, refusals: 0, tagIds: [] }
  const at: Wave = { tx, services, plan, staged, wave: 0, has: new Set(plan.columns) }
  await matchKnown(at)
  const parts = partsOf(at, batch.tagNames)
  const changes = parts.length
    ? sql`(${sql.join(
        parts.map(({ differs }) => differs),
        sql` or `,
      )})`
    : sql`false`
  const what = sql`case
    when r.email_key = any(${batch.repeatedSame}::text[]) then 'untouched'
    when r.wave > 0 or r.email_key = any(${batch.repeatedOther}::text[])
      then ${plan.duplicates === 'skip' ? 'untouched' : 'changed'}
    when c.id is null then 'created'
    when ${changes} then 'changed'
    else 'untouched' end`
  const from = sql`from pg_temp.import_rows r
    left join contacts.contacts c on c.workspace_id = ${tx.workspaceId} and c.id = r.contact_id where r.wave >= 0`
  const { rows } = await sql<Omit<Rehearsed, 'differences'>>`
    select count(*) filter (where what = 'created') as created, count(*) filter (where what = 'changed') as changed,
      count(*) filter (where what = 'untouched') as untouched
    from (select ${what} as what ${from}) as would`.execute(tx.sql)
  const differences: Difference[] = []
  if (rows[0]!.changed && batch.wanted.changed > 0 && parts.length)
    differences.push(...(await changedOnes(at, from, changes, parts, batch.wanted.changed)))
  if (rows[0]!.created && batch.wanted.created > 0)
    differences.push(...(await createdOnes(at, from, batch.wanted.created)))
  return { ...rows[0]!, differences }
}

/** One thing that may differ between the contact `c` and what the row `r` makes of it. */
interface Part {
  field: string
  differs: Expression
  before: Expression
  after: Expression
}

function partsOf(at: Wave, tagNames: readonly string[]): Part[] {
  const { plan, has } = at
  const parts = [...changedValues(at)].map(([field, after]): Part => {
    const before = sql.ref(`c.${field}`)
    return { field, before, after, differs: sql`${before} is distinct from ${after}` }
  })
  if (plan.duplicates !== 'skip' && has.has('tag_refs')) parts.push(tagsPart(at, tagNames))
  if (speaksOfConsent(plan)) parts.push(...consentParts(at))
  return parts
}

function tagsPart(at: Wave, tagNames: readonly string[]): Part {
  const given = sql`(select coalesce(array_agg((${[...tagNames]}::text[])[ref]), '{}') from unnest(r.tag_refs) as ref)`
  const before = sql`(select coalesce(array_agg(t.name order by lower(t.name)), '{}') from contacts.contact_tags ct
    join contacts.tags t on t.workspace_id = ct.workspace_id and t.id = ct.tag_id
    where ct.workspace_id = c.workspace_id and ct.contact_id = c.id)`
  const lowered = (names: Expression): Expression =>
    sql`(select coalesce(array_agg(lower(n)), '{}') from unnest(${names}) as n)`
  const differs = sql`(r.tag_refs is not null and ${mayAdd(at)} and not (${lowered(before)} @> ${lowered(given)}))`
  return { field: 'tags', before, after: given, differs }
}

function consentParts(at: Wave): Part[] {
  return (['newsletter', 'marketing'] as const).map((purpose): Part => {
    const flag = sql.ref(`c.${purpose}_subscribed`)
    const takes = sql`(${refuses(at, purpose)} and (${flag} or ${latestDecision(purpose)} <> 'withdrawn'))`
    const gives =
      at.plan.duplicates === 'skip'
        ? sql`false`
        : sql`(not ${flag} and ${subscribes(at, purpose)} and c.status = 'active' and ${latestDecision(purpose)} <> 'withdrawn')`
    const after = sql`(${flag} or ${gives}) and not ${takes}`
    return { field: `${purpose}_subscribed`, before: flag, after, differs: sql`(${takes} or ${gives})` }
  })
}

async function changedOnes(at: Wave, from: Expression, changes: Expression, parts: Part[], limit: number) {
  const each = parts.map(
    ({ field, differs, before, after }) =>
      sql`case when ${differs} then jsonb_build_object('field', ${field}::text, 'before', to_jsonb(${before}), 'after', to_jsonb(${after})) end`,
  )
  const { rows } = await sql<{
    line: number
    contact_id: string
    parts: (Pick<Difference, 'field' | 'before' | 'after'> | null)[]
  }>`
    select r.line, c.id as contact_id, jsonb_build_array(${sql.join(each)}) as parts
    ${from} and r.wave = 0 and c.id is not null and ${changes} order by r.line limit ${limit}`.execute(at.tx.sql)
  return rows.flatMap(({ line, contact_id, parts: found }) =>
    found.flatMap((part): Difference[] =>
      part && part.field !== 'phone_key' ? [{ line, contact_id, outcome: 'changed', ...part }] : [],
    ),
  )
}

async function createdOnes(at: Wave, from: Expression, limit: number): Promise<Difference[]> {
  const shown = at.plan.columns.filter((name) => name !== 'phone_key' && name !== 'tag_refs' && name !== 'updated_at')
  const { rows } = await sql<{ line: number; fields: Record<string, unknown> }>`
    select r.line, jsonb_strip_nulls(jsonb_build_object(${sql.join(
      shown.flatMap((name) => [sql`${name}::text`, sql`to_jsonb(${sql.ref(`r.${name}`)})`]),
    )})) as fields
    ${from} and r.wave = 0 and c.id is null order by r.line limit ${limit}`.execute(at.tx.sql)
  return rows.flatMap(({ line, fields }) =>
    Object.entries(fields).map(([field, after]): Difference => ({
      line,
      contact_id: null,
      outcome: 'created',
      field,
      before: null,
      after,
    })),
  )
}

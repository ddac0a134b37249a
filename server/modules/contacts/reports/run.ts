/** Runs a report: the totals, the groups, and both once more for the period before. */
import { sql, type RawBuilder } from 'kysely'
import { Type, type Static } from 'typebox'
import type { Tx } from '#platform/db/db.ts'
import { Invalid } from '#platform/errors.ts'
import { NullableText, OneOf, Timestamp } from '#platform/http/shapes.ts'
import { RuleProblems } from '../rules/rule-routes.ts'
import type { Definition } from './definition.ts'
import { dimensionLabel, measureLabel, type Language } from './labels.ts'
import { toValue, type MeasureValueKind } from './measures.ts'
import { bucketsOf } from './period.ts'
import { planReport, type Plan } from './plan.ts'

const Value = Type.Unsafe<number | string | null>({
  type: ['number', 'string', 'null'],
  description: 'Amounts are exact decimals as text, times RFC 3339; null where there was nothing to measure',
})
const Values = Type.Array(Value, { description: 'One for each measure' })
const NullableValues = Type.Unsafe<(number | string | null)[] | null>({
  anyOf: [Values, { type: 'null' }],
  description: 'Of the period before, where it is compared',
})
const SpanShape = Type.Unsafe<{ field: string; from: string | null; to: string | null } | null>({
  anyOf: [Type.Object({ field: Type.String(), from: NullableText, to: NullableText }), { type: 'null' }],
})

export const ReportResult = Type.Object(
  {
    groups: Type.Array(
      Type.Object({
        field: Type.String(),
        label: Type.String(),
        kind: OneOf(['text', 'flag', 'time', 'band']),
        by: NullableText,
        width: Type.Unsafe<number | null>({ type: ['number', 'null'], description: 'Of bands' }),
      }),
    ),
    measures: Type.Array(
      Type.Object({ name: Type.String(), label: Type.String(), kind: OneOf(['number', 'money', 'share', 'time']) }),
    ),
    rows: Type.Array(
      Type.Object({
        groups: Type.Array(
          Type.Object({
            key: Type.Unsafe<string | null>({
              type: ['string', 'null'],
              description: 'Of times, the first day of the unit; null: those that have nothing here',
            }),
            label: NullableText,
          }),
        ),
        values: Values,
        previous: NullableValues,
      }),
    ),
    totals: Type.Object({ values: Values, previous: NullableValues }, { description: 'Each contact once' }),
    groups_total: Type.Integer({ description: 'How many groups there are, shown or not' }),
    truncated: Type.Boolean({ description: 'There are more groups than `limit` shows' }),
    period: SpanShape,
    previous_period: SpanShape,
    problems: RuleProblems,
    timezone: Type.String(),
    currency: Type.String(),
    computed_at: Timestamp,
  },
  { $id: 'ReportResult' },
)
export type ReportResult = Static<typeof ReportResult>
type Row = ReportResult['rows'][number]

export interface RunOptions {
  /** Of a report that is saved: what has gone since counts nobody. */
  isKept: boolean
  language: Language
  /** In milliseconds: a report that somebody waits for is given up sooner than that of a job. */
  timeoutMs?: number
}

export async function runReport(
  tx: Tx,
  definition: Definition,
  { isKept, language, timeoutMs = 20_000 }: RunOptions,
): Promise<ReportResult> {
  const plan = await planReport(tx, definition, { isKept })
  await sql`select set_config('statement_timeout', ${String(timeoutMs)}, true)`.execute(tx.sql)
  const { period, compared } = plan
  const totals = await orTooSlow(readTotals(tx, plan, period?.days ?? null))
  const previousTotals = compared && (await orTooSlow(readTotals(tx, plan, compared)))
  const { rows, groupsTotal } = plan.dimensions.length
    ? await orTooSlow(readGroups(tx, plan, totals.count))
    : { rows: [], groupsTotal: 0 }
  const filled = fillGaps(plan, rows, groupsTotal)
  const before =
    compared && filled.rows.length ? await orTooSlow(readBefore(tx, plan, filled.rows, previousTotals!.count)) : null
  await sql`select set_config('statement_timeout', '0', true)`.execute(tx.sql)
  return {
    groups: plan.dimensions.map((one) => ({
      field: one.field,
      label: dimensionLabel(one, language),
      kind: one.kind,
      by: one.by,
      width: one.width,
    })),
    measures: plan.measures.map((one) => ({ name: one.name, label: measureLabel(one, language), kind: one.kind })),
    rows: filled.rows.map((row) => ({ ...row, previous: before && (before.get(identityOf(row)) ?? nothing(plan)) })),
    totals: { values: totals.values, previous: previousTotals && previousTotals.values },
    groups_total: filled.groupsTotal,
    truncated: filled.groupsTotal > filled.rows.length,
    period: period && { field: period.field, from: period.days.from, to: period.days.to },
    previous_period: compared && period && { field: period.field, ...compared },
    problems: plan.problems,
    timezone: plan.timezone,
    currency: plan.currency,
    computed_at: tx.now.toISOString(),
  }
}

interface Span {
  from: string | null
  to: string | null
}

async function readTotals(tx: Tx, plan: Plan, span: Span | null) {
  const { rows } = await sql<Record<string, unknown> & { contacts: number }>`
    select count(*) as contacts, ${aggregates(plan, null)} ${from(plan, span)}`.execute(tx.sql)
  const [row] = rows
  return { count: row!.contacts, values: valuesOf(plan, row!) }
}

async function readGroups(tx: Tx, plan: Plan, total: number): Promise<{ rows: Row[]; groupsTotal: number }> {
  const { rows } = await sql<Record<string, unknown> & { groups_total: number }>`
    select g.*, count(*) over () as groups_total from (${grouped(plan, plan.period?.days ?? null, total)}) as g
    order by ${order(plan)} limit ${plan.limit}`.execute(tx.sql)
  return { rows: rows.map((row) => toRow(plan, row)), groupsTotal: rows[0]?.groups_total ?? 0 }
}

/** The same groups in the period before: of times within the period, those that lie as far from its start. */
async function readBefore(tx: Tx, plan: Plan, rows: Row[], total: number): Promise<Map<string, Row['values']>> {
  const shifts = plan.dimensions.map((_, place) => shiftOf(plan, place))
  const asked = new Map(
    rows.map((row) => {
      const keys = row.groups.map(({ key }, place) => (key === null ? null : (shifts[place]?.get(key) ?? key)))
      return [identity(keys), identityOf(row)]
    }),
  )
  const { rows: found } = await sql<Record<string, unknown>>`
    select g.* from (${grouped(plan, plan.compared, total)}) as g
    where ${identitySql(plan)} = any(${[...asked.keys()]}::text[])`.execute(tx.sql)
  return new Map(found.map((row) => [asked.get(identity(keysOf(plan, row)))!, valuesOf(plan, row)]))
}

function shiftOf(plan: Plan, place: number): Map<string, string> | null {
  const { by, field } = plan.dimensions[place]!
  const days = plan.period?.days
  if (!by || !plan.compared || !days?.from || !days.to || field !== plan.period!.field) return null
  const now = bucketsOf({ from: days.from, to: days.to }, by, bucketsMax)
  const before = bucketsOf(plan.compared, by, bucketsMax)
  // Beyond the last one there is nothing as far from the start: a key that no group has.
  return new Map(now.map((start, index) => [start, before[index] ?? '-']))
}

const bucketsMax = 4_000

/** A chart over time has a point for each unit, also where nothing happened. */
function fillGaps(plan: Plan, rows: Row[], groupsTotal: number): { rows: Row[]; groupsTotal: number } {
  const [dimension, second] = plan.dimensions
  const days = plan.period?.days
  if (!dimension?.by || second || plan.sort.by !== 'group' || !days?.from || !days.to) return { rows, groupsTotal }
  if (dimension.field !== plan.period!.field) return { rows, groupsTotal }
  const buckets = bucketsOf({ from: days.from, to: days.to }, dimension.by, bucketsMax)
  if (buckets.length > plan.limit) return { rows, groupsTotal }
  const byKey = new Map(rows.map((row) => [row.groups[0]!.key, row]))
  const filled = buckets.map(
    (key) => byKey.get(key) ?? { groups: [{ key, label: key }], values: nothing(plan), previous: null },
  )
  return { rows: plan.sort.descending ? filled.toReversed() : filled, groupsTotal: buckets.length }
}

/** `from … where …` with the rows of `c` once for each group that they are in. */
function from(plan: Plan, span: Span | null, joins: RawBuilder<unknown> = sql``): RawBuilder<unknown> {
  const within = plan.period && span ? sql`and ${plan.period.within(span)}` : sql``
  return sql`from contacts.contact_rows c ${joins} where c.deleted_at is null and ${plan.whom} ${within}`
}

function grouped(plan: Plan, span: Span | null, total: number): RawBuilder<unknown> {
  const joins = plan.dimensions.map(({ join }) => join ?? sql``)
  const keys = plan.dimensions.flatMap(({ key, label }, place) => [
    sql`${key} as ${name('key', place)}`,
    sql`${label} as ${name('label', place)}`,
  ])
  // Of spellings that are one, always the same: by their bytes, not by the order of the server's language.
  const columns = plan.dimensions.flatMap(({ kind }, place) => [
    sql`c.${name('key', place)}`,
    sql`min(c.${name('label', place)} ${kind === 'text' ? sql`collate "C"` : sql``}) as ${name('label', place)}`,
  ])
  // The inner query names the groups once, so that they are the same expressions wherever they stand.
  return sql`
    select ${sql.join(columns)}, ${aggregates(plan, total)}
    from (select c.*, ${sql.join(keys)} ${from(plan, span, sql.join(joins, sql` `))}) as c
    group by ${sql.join(plan.dimensions.map((_, place) => sql`c.${name('key', place)}`))}`
}

/** Without a total, of the total itself. */
function aggregates(plan: Plan, total: number | null): RawBuilder<unknown> {
  return sql.join(plan.measures.map((measure, index) => sql`${measure.aggregate(total)} as ${name('value', index)}`))
}

function order({ sort, dimensions }: Plan): RawBuilder<unknown> {
  const direction = sort.descending ? sql`desc nulls last` : sql`asc nulls last`
  const groups = dimensions.map(({ kind }, place) => {
    const key = sql`g.${name('key', place)}`
    const value =
      kind === 'band' ? sql`${key}::numeric` : kind === 'text' ? sql`platform.fold(g.${name('label', place)})` : key
    return sql`${value} ${sort.by === 'group' ? direction : sql`asc nulls last`}, ${key}`
  })
  const first = sort.by === 'group' ? [] : [sql`g.${name('value', sort.by)} ${direction}`]
  return sql.join([...first, ...groups])
}

/** Names of our own, by their places. */
function name(what: 'key' | 'label' | 'value', place: number): RawBuilder<unknown> {
  return sql.raw(`${what}_${place}`)
}

function toRow(plan: Plan, row: Record<string, unknown>): Row {
  const groups = plan.dimensions.map(({ choices }, place) => {
    const key = row[`key_${place}`] as string | null
    const label = row[`label_${place}`] as string | null
    return { key, label: key === null ? null : (choices.get(key) ?? label) }
  })
  return { groups, values: valuesOf(plan, row), previous: null }
}

function keysOf(plan: Plan, row: Record<string, unknown>): (string | null)[] {
  return plan.dimensions.map((_, place) => row[`key_${place}`] as string | null)
}

function valuesOf(plan: Plan, row: Record<string, unknown>): Row['values'] {
  return plan.measures.map(({ kind }, index) => toValue(row[`value_${index}`], kind))
}

const empty: Record<MeasureValueKind, (measure: string) => number | string | null> = {
  number: (measure) => (['count', 'distinct', 'sum'].includes(measure) ? 0 : null),
  money: (measure) => (measure === 'sum' ? '0.00' : null),
  share: () => 0,
  time: () => null,
}

function nothing({ measures }: Plan): Row['values'] {
  return measures.map(({ kind, asked }) => empty[kind](asked.measure))
}

function identityOf({ groups }: Row): string {
  return identity(groups.map(({ key }) => key))
}

/** Both keys as one text, so that nothing and the empty text stay apart. */
function identity(keys: (string | null)[]): string {
  return keys.map((key) => (key === null ? '-' : `+${key}`)).join('\u001f')
}

function identitySql(plan: Plan): RawBuilder<string> {
  const parts = plan.dimensions.map((_, place) => sql`coalesce('+' || g.${name('key', place)}, '-')`)
  return sql<string>`(${sql.join(parts, sql` || E'\\x1f' || `)})`
}

async function orTooSlow<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked
  } catch (error) {
    if ((error as { code?: string }).code !== '57014') throw error
    throw new Invalid(
      'report_too_slow',
      'This report takes too long to count. Narrow it down by a filter or a period, or take a group out.',
    )
  }
}

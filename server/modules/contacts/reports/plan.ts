/**
 * From a definition to what is asked of the database. A definition that is being written must be sound; of one that is kept,
 * what has gone since counts nobody, and is told as a problem.
 */
import { sql, type RawBuilder } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import { Invalid, type InputError } from '#platform/errors.ts'
import { getWorkspace } from '#modules/accounts/index.ts'
import { compileRule } from '../rules/compile.ts'
import { conditionSql } from '../rules/conditions.ts'
import type { Definitions } from '../rules/custom.ts'
import { dayOf } from '../rules/days.ts'
import { resolveKept, resolveRule, type Resolved } from '../rules/resolve.ts'
import type { Rule } from '../rules/rule.ts'
import { groupsUnlessTold, type Definition } from './definition.ts'
import { findReportField, goneDimension, readDimension, unknownField, type Dimension } from './dimensions.ts'
import { planMeasures, type PlannedMeasure } from './measures.ts'
import { daysOf, periodErrors, type Days, type Span } from './period.ts'

export interface Plan {
  dimensions: Dimension[]
  measures: PlannedMeasure[]
  /** Whom the report is about, of the row `c`. */
  whom: RawBuilder<boolean>
  period: { field: string; days: Days; within(span: Pick<Days, 'from' | 'to'>): RawBuilder<boolean> } | null
  compared: Span | null
  sort: { by: number | 'group'; descending: boolean }
  limit: number
  problems: InputError[]
  timezone: string
  currency: string
}

export async function planReport(tx: Tx, definition: Definition, { isKept }: { isKept: boolean }): Promise<Plan> {
  const { timezone, currency } = await getWorkspace(tx, tx.workspaceId)
  const definitions = await customDefinitions(tx)
  const problems: InputError[] = []
  const errors: InputError[] = []

  const dimensions = (definition.group_by ?? []).map((group, place) => {
    const read = readDimension(group, place, { definitions, timezone })
    if ('dimension' in read) return read.dimension
    errors.push(read.error)
    return goneDimension(group.field)
  })
  const [one, other] = definition.group_by ?? []
  if (one && other && one.field === other.field && one.by === other.by && one.width === other.width) {
    errors.push({ pointer: '/group_by/1', code: 'repeated', detail: 'Both groups are the same. Take one of them out.' })
  }
  const measured = await planMeasures(tx, definition.measures ?? [{ measure: 'count' }], definitions, isKept)
  errors.push(...measured.errors)
  problems.push(...measured.problems)
  const { measures } = measured
  const whom = await readFilter(tx, definition.filter ?? null, isKept, errors)
  problems.push(...whom.problems)
  const period = readPeriod(tx, definition, { definitions, timezone }, errors)
  const compared = definition.compare ? (period?.days.previous ?? null) : null
  if (definition.compare && !compared) {
    const detail = 'There is nothing to compare with. Name a period that has a first and a last day.'
    errors.push({ pointer: '/compare', code: 'no_period', detail })
  }
  const sort = readSort(definition.sort, dimensions, measures, errors)
  if (errors.length && !isKept) {
    throw new Invalid('invalid', errors.map(({ detail }) => detail).join(' '), { errors: errors.slice(0, 50) })
  }
  return {
    dimensions,
    measures,
    whom: whom.condition,
    period,
    compared,
    sort,
    limit: definition.limit ?? groupsUnlessTold,
    problems: [...errors, ...problems],
    timezone,
    currency,
  }
}

/** With deleted ones, which tell what has gone from what never was. */
export async function customDefinitions(tx: Tx): Promise<Definitions> {
  const rows = await tx.sql
    .selectFrom('contacts.custom_fields')
    .selectAll()
    .orderBy(sql`deleted_at is null`)
    .execute()
  return new Map(rows.map((row) => [row.key, row]))
}

async function readFilter(tx: Tx, filter: Rule | null, isKept: boolean, errors: InputError[]) {
  if (!filter) return { condition: sql<boolean>`true`, problems: [] }
  try {
    const resolved = isKept ? await resolveKept(tx, filter, '/filter') : await resolveRule(tx, filter, '/filter')
    return { condition: compileRule(resolved, 'whole'), problems: resolved.problems }
  } catch (error) {
    if (!(error instanceof Invalid)) throw error
    errors.push(...(error.errors ?? []))
    return { condition: sql<boolean>`false`, problems: [] }
  }
}

function readPeriod(
  tx: Tx,
  { period }: Definition,
  { definitions, timezone }: { definitions: Definitions; timezone: string },
  errors: InputError[],
): Plan['period'] {
  if (!period) return null
  const wrong = periodErrors(period)
  if (wrong.length) {
    errors.push(...wrong)
    return null
  }
  const name = period.field ?? 'created_at'
  const days = daysOf(period, dayOf(tx.now, timezone))
  const field = findReportField(name, definitions)
  if (!field || (field.type !== 'datetime' && field.type !== 'date')) {
    const noTime = { pointer: '/period/field', code: 'not_a_time', detail: `${name} is no time and no day.` }
    errors.push(field ? noTime : unknownField('/period/field', name, definitions))
    return { field: name, days, within: () => sql<boolean>`false` }
  }
  const clock: Resolved = {
    root: { kind: 'all', nodes: [] },
    now: tx.now,
    timezone,
    tags: new Map(),
    lists: new Map(),
    problems: [],
  }
  const within = ({ from, to }: Pick<Days, 'from' | 'to'>) => {
    const condition = { kind: 'field', pointer: '/period', field } as const
    if (from && to) return conditionSql(clock, { ...condition, op: 'between', values: [from, to] })
    return from
      ? conditionSql(clock, { ...condition, op: 'gte', values: [from] })
      : conditionSql(clock, { ...condition, op: 'lte', values: [to!] })
  }
  return { field: name, days, within }
}

function readSort(
  asked: string | undefined,
  dimensions: Dimension[],
  measures: PlannedMeasure[],
  errors: InputError[],
): Plan['sort'] {
  const isOrdered = dimensions[0] && dimensions[0].kind !== 'text' && dimensions[0].kind !== 'flag'
  const fallback: Plan['sort'] = isOrdered ? { by: 'group', descending: false } : { by: 0, descending: true }
  if (asked === undefined) return fallback
  const descending = asked.startsWith('-')
  const name = descending ? asked.slice(1) : asked
  if (name === 'group') return { by: 'group', descending }
  const index = measures.findIndex((measure) => measure.name === name)
  if (index >= 0) return { by: index, descending }
  const detail = `Sort by group, or by one of ${measures.map((measure) => measure.name).join(', ')}; a leading - turns the order round.`
  errors.push({ pointer: '/sort', code: 'unknown_sort', detail })
  return fallback
}

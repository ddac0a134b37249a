/** What is measured of each group: SQL aggregates over rows `c`, each with how its values are read. */
import { sql, type RawBuilder } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import { Invalid, type InputError } from '#platform/errors.ts'
import { compileRule } from '../rules/compile.ts'
import type { Definitions } from '../rules/custom.ts'
import type { Field } from '../rules/field.ts'
import { resolveKept, resolveRule } from '../rules/resolve.ts'
import type { Measure } from './definition.ts'
import { findReportField, scalarKey, unknownField } from './dimensions.ts'

export type MeasureValueKind = 'number' | 'money' | 'share' | 'time'

export interface PlannedMeasure {
  asked: Measure
  name: string
  kind: MeasureValueKind
  /** `total` is how many contacts there are in all; null: these are they. */
  aggregate(total: number | null): RawBuilder<unknown>
  own: string | null
}

/** In the workspace's currency. */
const amounts = new Set(['lifetime_value'])

export async function planMeasures(
  tx: Tx,
  asked: readonly Measure[],
  definitions: Definitions,
  isKept: boolean,
): Promise<{ measures: PlannedMeasure[]; errors: InputError[]; problems: InputError[] }> {
  const measures: PlannedMeasure[] = []
  const errors: InputError[] = []
  const problems: InputError[] = []
  const names = new Set<string>()
  for (const [index, one] of asked.entries()) {
    const pointer = `/measures/${index}`
    const name = one.name ?? freeName(one, names)
    if (names.has(name))
      errors.push({ pointer: `${pointer}/name`, code: 'repeated', detail: `Two measures are called ${name}.` })
    if (name === 'group')
      errors.push({
        pointer: `${pointer}/name`,
        code: 'reserved',
        detail: '`group` stands for the groups in `sort`. Choose another name.',
      })
    names.add(name)
    const planned = planOne(one, pointer, definitions)
    if ('error' in planned) {
      errors.push(planned.error)
      measures.push({ asked: one, name, kind: 'number', own: null, aggregate: () => sql`null::numeric` })
      continue
    }
    const only = await conditionOf(tx, one, `${pointer}/where`, isKept)
    errors.push(...only.errors)
    problems.push(...only.problems)
    const { aggregate } = planned
    measures.push({ ...planned, asked: one, name, aggregate: (total) => aggregate(only.filter, total) })
  }
  return { measures, errors, problems }
}

/** What the database answers as the API shows it: amounts as exact decimals, numbers as numbers, times as times. */
export function toValue(value: unknown, kind: MeasureValueKind): number | string | null {
  if (value === null || value === undefined) return null
  if (kind === 'money') return String(value)
  if (kind === 'time') return (value as Date).toISOString()
  return Number(value)
}

interface Planned {
  kind: MeasureValueKind
  own: string | null
  aggregate(filter: RawBuilder<unknown> | null, total: number | null): RawBuilder<unknown>
}

function planOne(
  { measure, field: name, where }: Measure,
  pointer: string,
  definitions: Definitions,
): Planned | { error: InputError } {
  if (measure === 'count' || measure === 'share') {
    if (name) {
      const detail = `${measure} is of contacts, and takes no field. Leave it out, or use where.`
      return { error: { pointer: `${pointer}/field`, code: 'misplaced', detail } }
    }
    return measure === 'count' ? counting : where ? sharing : sharingAll
  }
  if (!name) {
    return { error: { pointer: `${pointer}/field`, code: 'required', detail: `Say what ${measure} is of.` } }
  }
  const field = findReportField(name, definitions)
  if (!field) return { error: unknownField(`${pointer}/field`, name, definitions) }
  const planned = measure === 'distinct' ? planDistinct(field) : planNumber(measure, field)
  if (planned) return { ...planned, own: field.label ?? null }
  const detail = `${measure} cannot be had of ${name}. GET /contacts/reports/fields lists what can be measured.`
  return { error: { pointer: `${pointer}/field`, code: 'not_measurable', detail } }
}

const counting: Planned = { kind: 'number', own: null, aggregate: (filter) => sql`count(*) ${only(filter)}` }
const sharing: Planned = {
  kind: 'share',
  own: null,
  aggregate: (filter) => sql`round((count(*) ${only(filter)})::numeric / nullif(count(*), 0), 4)`,
}
const sharingAll: Planned = {
  kind: 'share',
  own: null,
  aggregate: (_filter, total) =>
    sql`round(count(*)::numeric / nullif(${total === null ? sql`count(*)` : sql`${total}::numeric`}, 0), 4)`,
}

function planDistinct(field: Field): Planned | null {
  const key = scalarKey(field)
  return key && { kind: 'number', own: null, aggregate: (filter) => sql`count(distinct ${key}) ${only(filter)}` }
}

function planNumber(measure: 'sum' | 'avg' | 'min' | 'max', field: Field): Planned | null {
  const aggregateName = sql.raw(measure)
  if (field.type === 'datetime' && (measure === 'min' || measure === 'max')) {
    return { kind: 'time', own: null, aggregate: (filter) => sql`${aggregateName}(${field.column}) ${only(filter)}` }
  }
  if (field.type !== 'number') return null
  const isMoney = amounts.has(field.name)
  const column = sql`(${field.column})::numeric`
  const digits = isMoney || measure === 'avg' ? 2 : 6
  return {
    kind: isMoney ? 'money' : 'number',
    own: null,
    aggregate: (filter) => {
      const value = sql`round(${aggregateName}(${column}) ${only(filter)}, ${sql.raw(String(digits))})`
      return measure === 'sum' ? sql`coalesce(${value}, round(0.0, ${sql.raw(String(digits))}))` : value
    },
  }
}

function only(filter: RawBuilder<unknown> | null): RawBuilder<unknown> {
  return filter ? sql`filter (where ${filter})` : sql``
}

async function conditionOf(tx: Tx, { where }: Measure, pointer: string, isKept: boolean) {
  if (!where) return { filter: null, errors: [], problems: [] }
  try {
    const resolved = isKept ? await resolveKept(tx, where, pointer) : await resolveRule(tx, where, pointer)
    return { filter: compileRule(resolved, 'whole'), errors: [], problems: resolved.problems }
  } catch (error) {
    if (!(error instanceof Invalid)) throw error
    return { filter: null, errors: error.errors ?? [], problems: [] }
  }
}

function freeName({ measure, field }: Measure, taken: Set<string>): string {
  const base = [measure, field?.replaceAll(/[^a-z0-9]+/gi, '_').toLowerCase()].filter(Boolean).join('_').slice(0, 56)
  let name = base
  for (let number = 2; taken.has(name); number++) name = `${base}_${number}`
  return name
}

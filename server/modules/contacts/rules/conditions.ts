/** One condition on a field of the row `c`, by the field's type. */
import { sql, type RawBuilder } from 'kysely'
import { definedSql } from './defined.ts'
import type { CodeField, Field, TextField } from './field.ts'
import { hasAnyTag, isMemberOfAny, type Purpose } from './members.ts'
import type { Op } from './ops.ts'
import type { Condition } from './read.ts'
import type { Resolved } from './resolve.ts'
import { dayIsIn, periodOf, timeIsIn } from './periods.ts'
import type { Value } from './values.ts'

type Sql = RawBuilder<boolean>

/** Each question that says no, and the one whose complement it is. */
const opposites: Partial<Record<Op, Op>> = {
  neq: 'eq',
  not_in: 'in',
  not_contains: 'contains',
  not_within_last_days: 'within_last_days',
  is_not_empty: 'is_empty',
}

export function conditionSql(rule: Resolved, { field, op, values, gone }: Condition, purpose: Purpose = 'page'): Sql {
  if (gone) return sql<boolean>`false`
  if (field.type === 'tags' || field.type === 'lists')
    return membershipSql(rule, field, op, values.map(String), purpose)
  if (field.asked) return definedSql(rule, field.asked, op, values)
  const opposite = opposites[op]
  if (!opposite) return positive(rule, field, op, values)
  const holds = positive(rule, field, opposite, values)
  // `not` is worth having where it can be had: an index may know `status <> 'active'`.
  return isNeverNull(field, opposite) ? sql<boolean>`not (${holds})` : sql<boolean>`((${holds}) is not true)`
}

function isNeverNull(field: Field, op: Op): boolean {
  return op === 'is_empty' || field.empty === null || field.type === 'text'
}

function positive(rule: Resolved, field: Condition['field'], op: Op, values: Value[]): Sql {
  if (op === 'is_empty') return field.empty ?? sql<boolean>`false`
  switch (field.type) {
    case 'text':
      return textSql(field, op, values.map(String))
    case 'code':
      return codeSql(field, op, values.map(String))
    case 'choice':
      return field.isOneOf(values.map(String))
    case 'choices':
      return choicesSql(field.column, op, values.map(String))
    case 'number':
      return compareSql(field.column, field.cast, op, values)
    case 'boolean':
      return values[0] ? sql<boolean>`${field.column}` : sql<boolean>`not ${field.column}`
    case 'datetime':
      return timeIsIn(field, periodOf(op, values, rule))
    case 'date':
      return dayIsIn(field, op, values, rule)
    case 'id':
      return compareSql(field.column, 'uuid', op, values)
    case 'presence':
    case 'tags':
    case 'lists':
      throw new Error(`${field.name} cannot be asked ${op}`)
    default:
      return field satisfies never
  }
}

function textSql(field: TextField, op: Op, values: string[]): Sql {
  const [value = ''] = values
  const exact = wordSql(field, op, values)
  if (field.present && value && !field.isOneOf) return sql<boolean>`(${field.present} and ${exact})`
  if (!field.searched || values.length > 1 || !value) return exact
  return sql<boolean>`(c.search_text like platform.contains_pattern(${value}) and ${exact})`
}

function wordSql(field: TextField, op: Op, values: string[]): Sql {
  const { folded, fold } = field
  const term = fold(sql`${values[0]}::text`)
  switch (op) {
    case 'contains':
      return sql<boolean>`strpos(${folded}, ${term}) > 0`
    case 'starts_with':
      return sql<boolean>`starts_with(${folded}, ${term})`
    case 'ends_with':
      return sql<boolean>`right(${folded}, length(${term})) = ${term}`
    default:
      if (field.isOneOf) return field.isOneOf(values)
      if (values.length === 1) return sql<boolean>`${folded} = ${term}`
      return sql<boolean>`${folded} = any(array(select ${fold(sql`value`)} from unnest(${values}::text[]) as value))`
  }
}

function codeSql({ column }: CodeField, op: Op, values: string[]): Sql {
  if (op === 'starts_with') return sql<boolean>`starts_with(${column}, ${values[0]})`
  return values.length === 1 ? sql<boolean>`${column} = ${values[0]}` : sql<boolean>`${column} = any(${values}::text[])`
}

const comparisons: Partial<Record<Op, RawBuilder<unknown>>> = {
  eq: sql`=`,
  gt: sql`>`,
  gte: sql`>=`,
  lt: sql`<`,
  lte: sql`<=`,
}

/** The value takes the column's type: compared as another one, no index would serve. */
function compareSql(column: RawBuilder<unknown>, type: 'int' | 'numeric' | 'uuid', op: Op, values: Value[]): Sql {
  const cast = sql.raw(type)
  const [first, second] = values.map(String)
  if (op === 'in') return sql<boolean>`${column} = any(${values.map(String)}::${cast}[])`
  if (op === 'between') return sql<boolean>`${column} between ${first}::${cast} and ${second}::${cast}`
  return sql<boolean>`${column} ${comparisons[op]!} ${first}::${cast}`
}

function choicesSql(column: RawBuilder<unknown>, op: Op, values: string[]): Sql {
  switch (op) {
    case 'has_all':
      return sql<boolean>`${column} ?& ${values}::text[]`
    case 'has_none':
      return sql<boolean>`((${column} ?| ${values}::text[]) is not true)`
    default:
      return sql<boolean>`${column} ?| ${values}::text[]`
  }
}

/**
 * What is gone matches nobody: a rule that loses a tag must not suddenly mean everybody who never had it. Of several that
 * are asked for, those that are there still count.
 */
function membershipSql(
  rule: Resolved,
  field: Field & { type: 'tags' | 'lists' },
  op: Op,
  values: string[],
  purpose: Purpose,
): Sql {
  if (op === 'is_empty') return field.empty!
  if (op === 'is_not_empty') return sql<boolean>`not ${field.empty!}`
  const known = field.type === 'tags' ? rule.tags : rule.lists
  const hasAny = field.type === 'tags' ? hasAnyTag : isMemberOfAny
  const there = values.flatMap((value) => known.get(value) ?? [])
  const isWhole = there.length === values.length
  switch (op) {
    case 'has_all':
      return isWhole
        ? sql<boolean>`(${sql.join(
            there.map((one) => hasAny([one], purpose)),
            sql` and `,
          )})`
        : sql<boolean>`false`
    case 'has_none':
    case 'not_in':
      return isWhole ? sql<boolean>`not ${hasAny(there, purpose)}` : sql<boolean>`false`
    default:
      return hasAny(there, purpose)
  }
}

/** What the rows of a wave change of contacts that were there. */
import { sql } from 'kysely'
import type { StagedColumn } from '../columns.ts'
import { ruleFor, type Rule } from '../policy.ts'
import { emptyValues } from './matching.ts'
import type { Expression, MergePlan, Wave } from './plan.ts'

const handledApart = new Set<StagedColumn>([
  ...(['email', 'tag_refs', 'custom_fields', 'notes', 'status', 'created_at', 'updated_at', 'phone_key'] as const),
  ...(['newsletter_subscribed', 'marketing_subscribed', 'language'] as const),
])

/** Keeps what the contacts were before, and changes no row that would stay the same. */
export async function changeKnown(at: Wave): Promise<void> {
  const { tx, plan, wave } = at
  const values = changedValues(at)
  const names = [...values.keys()]
  if (!names.length) return
  const list = (prefix: string, make = (name: string) => `${prefix}${name}`): Expression =>
    sql.raw(names.map(make).join(', '))
  await sql`
    with wanted as (
      select r.line, c.id, ${list('', (name) => `c.${name} as old_${name}`)},
        ${sql.join([...values].map(([name, value]) => sql`${value} as ${sql.ref(`new_${name}`)}`))}
      from pg_temp.import_rows r
      join contacts.contacts c on c.workspace_id = ${tx.workspaceId} and c.id = r.contact_id
      where r.wave = ${wave} and r.contact_id is not null
      for update of c
    ), w as (
      select * from wanted where (${list('old_')}) is distinct from (${list('new_')})
    ), done as (
      update contacts.contacts c set ${list('', (name) => `${name} = w.new_${name}`)}
      from w where c.workspace_id = ${tx.workspaceId} and c.id = w.id
      returning c.id, c.version
    ), kept as (
      insert into contacts.import_changes as i (workspace_id, import_id, contact_id, version_after, before)
      select ${tx.workspaceId}, ${plan.importId}, w.id, done.version,
        jsonb_build_object(${list('', (name) => `'${name}', w.old_${name}`)})
      from w join done on done.id = w.id
      on conflict (workspace_id, import_id, contact_id) do update
        set version_after = excluded.version_after, before = coalesce(i.before, excluded.before)
    )
    update pg_temp.import_rows r set changed = true from w where r.line = w.line and r.wave = ${wave}
  `.execute(tx.sql)
}

/** The new value of each column that the file can change, as an expression over the contact `c` and the staged row `r`. */
export function changedValues({ plan, has, wave }: Wave): Map<string, Expression> {
  const values = new Map<string, Expression>()
  // Only from active to something stricter, whatever the mode: a file never brings back who has left.
  if (has.has('status'))
    values.set('status', sql.raw(`case when c.status = 'active' then coalesce(r.status, c.status) else c.status end`))
  // Rows of a wave below zero failed: nothing but their "no" counts.
  if (plan.duplicates === 'skip' || wave < 0) return values
  for (const name of plan.columns) {
    if (handledApart.has(name)) continue
    const empty = emptyValues[name]
    values.set(name, sql.raw(byRule(ruleFor(plan, name), name, empty)))
  }
  if (has.has('phone')) values.set('phone_key', sql.raw(phoneKey(ruleFor(plan, 'phone'))))
  const language = ruleFor(plan, 'language')
  // A contact always has a language, so there is never an empty one to fill.
  if (has.has('language') && language !== 'fill_empty') values.set('language', sql.raw(byRule(language, 'language')))
  if (has.has('notes')) values.set('notes', sql.raw(notes(ruleFor(plan, 'notes'))))
  if (has.has('custom_fields')) values.set('custom_fields', customFields(plan))
  return values
}

const isNewer = `coalesce(r.updated_at > c.updated_at, false)`

function byRule(rule: Rule, name: string, empty?: string): string {
  const present = empty ? `nullif(c.${name}, ${empty})` : `c.${name}`
  const fill = `coalesce(${present}, r.${name}${empty ? `, ${empty}` : ''})`
  const overwrite = `coalesce(r.${name}, c.${name})`
  if (rule === 'overwrite') return overwrite
  return rule === 'newest' ? `case when ${isNewer} then ${overwrite} else ${fill} end` : fill
}

/** The number and its international form change together or not at all. */
function phoneKey(rule: Rule): string {
  const overwrite = `r.phone is not null and r.phone is distinct from c.phone`
  const fill = `c.phone is null and r.phone is not null`
  const newest = `case when ${isNewer} then ${overwrite} else ${fill} end`
  const takes = rule === 'overwrite' ? overwrite : rule === 'newest' ? newest : fill
  return `case when ${takes} then r.phone_key else c.phone_key end`
}

function notes(rule: Rule): string {
  if (rule === 'overwrite')
    return `case when r.notes is null or ${trimmed('c.notes')} = r.notes then c.notes else r.notes end`
  if (rule !== 'append') return byRule(rule, 'notes', `''`)
  return `case when r.notes is null or position(r.notes in c.notes) > 0 then c.notes
      when c.notes = '' then r.notes else c.notes || E'\\n' || r.notes end`
}

/** Key by key: those with a rule of their own are taken out of what the general rule is for. */
function customFields(plan: MergePlan): Expression {
  const own = Object.keys(plan.policy).filter((field) => field.startsWith('custom:'))
  const keysWith = (rule: Rule): string[] =>
    own.filter((field) => plan.policy[field] === rule).map((field) => field.slice('custom:'.length))
  const general = ruleFor(plan, 'custom_fields')
  const given = sql`coalesce(r.custom_fields, '{}'::jsonb)`
  const only = (keys: string[]): Expression =>
    sql`(select coalesce(jsonb_object_agg(key, value), '{}') from jsonb_each(${given}) where key = any(${keys}::text[]))`
  const rest = own.length ? sql`(${given} - ${own.map((field) => field.slice(7))}::text[])` : given
  const partOf = (rule: Rule): Expression | null => {
    const keys = keysWith(rule)
    if (general !== rule) return keys.length ? only(keys) : null
    return keys.length ? sql`(${rest} || ${only(keys)})` : rest
  }
  let value: Expression = sql`c.custom_fields`
  const [filled, overwritten, newest] = [partOf('fill_empty'), partOf('overwrite'), partOf('newest')]
  if (filled) value = sql`(${filled} || ${value})`
  if (overwritten) value = sql`(${value} || ${different(overwritten)})`
  if (newest) value = sql`case when ${sql.raw(isNewer)} then ${value} || ${newest} else ${newest} || ${value} end`
  return value
}

/** As cells are trimmed before they are compared. */
function trimmed(text: string): string {
  return `btrim(${text}, E' \\t\\n\\r\\f\\x0b\\u00a0\\u202f\\ufeff')`
}

/** A cell that says what is there already changes nothing: not the number 5 into the text "5" either. */
function different(given: Expression): Expression {
  return sql`coalesce((
    select jsonb_object_agg(g.key, g.value) from jsonb_each(${given}) as g
    where ${sql.raw(trimmed('c.custom_fields ->> g.key'))} is distinct from g.value #>> '{}'), '{}'::jsonb)`
}

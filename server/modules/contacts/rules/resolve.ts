/**
 * A rule with all that its meaning depends on: the time, the workspace's time zone, and the tags and lists that it names.
 * What is named and not there is a problem to show, and no fault: the condition that names it matches nobody.
 */
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import { Invalid, type InputError } from '#platform/errors.ts'
import { getWorkspace } from '#modules/accounts/index.ts'
import { customPrefix, noDefinitions, type Definitions } from './custom.ts'
import type { Holder } from './members.ts'
import { leavesOf, readRule, type Condition, type Node } from './read.ts'

export interface Resolved {
  root: Node
  now: Date
  timezone: string
  /** By the name that the rule has. */
  tags: ReadonlyMap<string, Holder>
  lists: ReadonlyMap<string, Holder>
  problems: InputError[]
}

/** Throws `Invalid` with every fault, each at its pointer below `pointer`. */
export async function resolveRule(tx: Tx, rule: unknown, pointer = '/filter'): Promise<Resolved> {
  const root = checkRule(rule, pointer, await definitionsFor(tx, rule))
  const leaves = leavesOf(root)
  const conditions = leaves.filter((leaf) => leaf.kind === 'field')
  const tags = await findTags(tx, valuesOf(conditions, 'tags'))
  const lists = await findLists(tx, valuesOf(conditions, 'lists'))
  const dated = leaves.some((leaf) => leaf.kind === 'event' || ['datetime', 'date'].includes(leaf.field.type))
  const timezone = dated ? (await getWorkspace(tx, tx.workspaceId)).timezone : 'UTC'
  const problems = conditions.flatMap((condition) => problemsOf(condition, { tags, lists }))
  return { root, now: tx.now, timezone, tags, lists, problems }
}

/**
 * Of a rule that is kept, and was sound when it was: what has changed under it since (a custom field's type) makes it
 * find nobody, and is told as its problem.
 */
export async function resolveKept(tx: Tx, rule: unknown, pointer: string): Promise<Resolved & { readable: boolean }> {
  try {
    return { ...(await resolveRule(tx, rule, pointer)), readable: true }
  } catch (error) {
    if (!(error instanceof Invalid)) throw error
    const nobody: Node = { kind: 'any', nodes: [] }
    const nothing = { now: tx.now, timezone: 'UTC', tags: new Map(), lists: new Map() }
    return { root: nobody, ...nothing, problems: error.errors ?? [], readable: false }
  }
}

function checkRule(rule: unknown, pointer: string, definitions: Definitions): Node {
  const { root, errors } = readRule(rule, pointer, definitions)
  if (!root) throw new Invalid('invalid', errors.map((error) => error.detail).join(' '), { errors })
  return root
}

/** Deleted ones too: they are how a condition knows that its field is gone. */
async function definitionsFor(tx: Tx, rule: unknown): Promise<Definitions> {
  if (!JSON.stringify(rule ?? null).includes(`"${customPrefix}`)) return noDefinitions
  const rows = await tx.sql
    .selectFrom('contacts.custom_fields')
    .selectAll()
    .orderBy(sql`deleted_at is null`)
    .execute()
  return new Map(rows.map((row) => [row.key, row]))
}

function valuesOf(conditions: Condition[], type: 'tags' | 'lists'): string[] {
  return [...new Set(conditions.filter(({ field }) => field.type === type).flatMap(({ values }) => values.map(String)))]
}

async function findTags(tx: Tx, names: string[]): Promise<Map<string, Holder>> {
  if (!names.length) return new Map()
  const { rows } = await sql<Holder & { name: string }>`
    select wanted.name, t.id, t.usage_count as size from unnest(${names}::text[]) as wanted (name)
    join contacts.tags t on lower(t.name) = lower(wanted.name)
    where t.workspace_id = ${tx.workspaceId}`.execute(tx.sql)
  return new Map(rows.map(({ name, id, size }) => [name, { id, size }]))
}

async function findLists(tx: Tx, ids: string[]): Promise<Map<string, Holder>> {
  if (!ids.length) return new Map()
  const { rows } = await sql<Holder>`
    select id, contact_count as size from contacts.lists
    where workspace_id = ${tx.workspaceId} and id = any(${ids}::uuid[]) and deleted_at is null`.execute(tx.sql)
  return new Map(rows.map(({ id, size }) => [id, { id, size }]))
}

function problemsOf(condition: Condition, known: Pick<Resolved, 'tags' | 'lists'>): InputError[] {
  const { field, pointer, values, gone } = condition
  if (gone) {
    const detail = `The custom field of ${field.name} was deleted. The condition finds nobody; take it out, or restore the field.`
    return [{ pointer: `${pointer}/field`, code: 'field_gone', detail }]
  }
  const missing = (code: string, tell: (value: string) => string, isThere: (value: string) => boolean) =>
    values
      .map(String)
      .filter((value) => !isThere(value))
      .map((value) => ({ pointer: `${pointer}/value`, code, detail: tell(value) }))
  if (field.type === 'tags') {
    const tell = (name: string) => `There is no tag “${name}”. Nobody has it; take it out, or make it.`
    return missing('tag_gone', tell, (name) => known.tags.has(name))
  }
  if (field.type === 'lists') {
    const tell = (id: string) => `The list ${id} is not there. Nobody is in it; take it out, or restore the list.`
    return missing('list_gone', tell, (id) => known.lists.has(id))
  }
  if (!field.asked || !('choices' in field)) return []
  return missing(
    'choice_gone',
    (one) => `“${one}” is no choice of ${field.name}.`,
    (one) => field.choices.includes(one),
  )
}

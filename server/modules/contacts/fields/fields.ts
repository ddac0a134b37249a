/**
 * The fields that a workspace adds to its contacts. A definition may change at any time; stored values never stop being
 * readable: a change that some of them would not survive is refused with their number, and the rest is a job's work.
 */
import { sql } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { checkVersion, Conflict, Invalid, NotFound } from '#platform/errors.ts'
import { newId } from '#platform/ids.ts'
import { afterCursor, countRows, orderBy, page, parseSort, type SortColumn } from '#platform/http/paging.ts'
import { orRefuse } from '#platform/db/constraints.ts'
import { toDefinition, toKey, type Definition, type FieldInput } from './definition-rules.ts'
import { checkStored, type Replacements } from './stored-values.ts'
import type { CustomField, FieldType } from './tables.ts'

export const fieldsMax = 200

/** All fields that are not deleted, in their order: what writes are checked against and questions are built from. */
export async function customFieldDefinitions(tx: Tx): Promise<CustomField[]> {
  return tx.sql
    .selectFrom('contacts.custom_fields')
    .selectAll()
    .where('deleted_at', 'is', null)
    .orderBy('position')
    .orderBy('id')
    .execute()
}

const sortColumns: Record<string, SortColumn> = {
  position: { expression: sql`f.position`, type: 'int' },
  label: { expression: sql`platform.fold(f.label)`, type: 'text' },
  key: { expression: sql`f.key`, type: 'text' },
  created_at: { expression: sql`f.created_at`, type: 'timestamptz' },
}

export interface FieldsQuery {
  search?: string
  type?: FieldType
  deleted?: boolean
  sort?: string
  limit?: number
  cursor?: string
  count?: 'exact'
}

export async function listFields<View>(tx: Tx, query: FieldsQuery, view: (field: CustomField) => View) {
  const limit = query.limit ?? 50
  const sort = parseSort(query.sort, sortColumns, 'position')
  const after = afterCursor(query.cursor, sort, sql`f.id`)
  const from = sql`from contacts.custom_fields f
    where ${query.deleted ? sql`f.deleted_at is not null` : sql`f.deleted_at is null`}
      ${query.type ? sql`and f.type = ${query.type}` : sql``}
      ${query.search ? sql`and platform.fold(f.label || ' ' || f.key) like platform.contains_pattern(${query.search})` : sql``}`
  const { rows } = await sql<CustomField & { sort_key: string }>`
    select f.*, (${sort.column.expression})::text as sort_key ${from} ${after ? sql`and ${after}` : sql``}
    order by ${orderBy(sort, sql`f.id`)} limit ${limit + 1}`.execute(tx.sql)
  const total = await countRows(tx, from, query.count === 'exact')
  return { ...page(rows, limit, sort, view), total }
}

export async function getField(tx: Tx, id: string): Promise<CustomField> {
  const field = await tx.sql.selectFrom('contacts.custom_fields').selectAll().where('id', '=', id).executeTakeFirst()
  if (!field || field.deleted_at) throw new NotFound('field')
  return field
}

export interface NewField extends FieldInput {
  key?: string
  label: string
  type: FieldType
}

const blank: Omit<Definition, 'type'> = {
  label: '',
  description: '',
  choices: [],
  required: false,
  filterable: false,
  minimum: null,
  maximum: null,
  max_length: null,
}

/** Makes a field; the key comes from the label unless it is named, with a number behind it where another has that one. */
export async function createField(tx: Tx, actor: Actor, input: NewField): Promise<CustomField> {
  const definition = toDefinition({ ...blank, type: input.type }, input)
  await lockFields(tx)
  const { position, count } = await measureFields(tx)
  if (count >= fieldsMax) {
    throw new Conflict('too_many_fields', `A workspace has at most ${fieldsMax} fields. Delete one that nobody uses.`)
  }
  const key = input.key ?? (await freeKey(tx, toKey(definition.label)))
  const field = await orRefuse(
    tx.sql
      .insertInto('contacts.custom_fields')
      .values({ ...toRow(definition), key, position, workspace_id: tx.workspaceId, id: newId() })
      .returningAll()
      .executeTakeFirstOrThrow(),
    keyTaken(key),
  )
  await tell(tx, 'created', field)
  // People may have stored something under this key before it had a name.
  return definition.filterable ? startWork(tx, actor, field, {}) : field
}

export interface FieldChange extends FieldInput {
  /** For choices that go although contacts have them: what these get instead; null: nothing. */
  replace_with?: Replacements
}

export async function updateField(
  tx: Tx,
  actor: Actor,
  id: string,
  change: FieldChange,
  ifVersion: number | undefined,
): Promise<CustomField> {
  const field = await lockField(tx, id)
  checkVersion(field.version, ifVersion)
  const next = toDefinition(field, change)
  const changed = changedNames(field, next)
  if (!changed.length) return field
  const stored = await checkStored(tx, field, next, change.replace_with ?? {})
  if (stored.misfits) throw valuesDoNotFit(stored.misfits, stored.values, next.type)
  const unreplaced = stored.removed_choices.filter(({ value }) => change.replace_with?.[value] === undefined)
  if (unreplaced.length) throw choicesInUse(unreplaced)
  const updated = await tx.sql
    .updateTable('contacts.custom_fields')
    .set(toRow(next))
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()
  await tell(tx, 'updated', updated, { changed })
  const rewrites = (changed.includes('type') && stored.values > 0) || stored.removed_choices.length > 0
  const recopies = changed.includes('filterable') || (changed.includes('type') && next.filterable)
  if (!rewrites && !recopies) return updated
  return startWork(tx, actor, updated, { convert: changed.includes('type'), replace: change.replace_with ?? {} })
}

/** Soft: the values stay with the contacts, as free JSON until the field comes back. */
export async function deleteField(tx: Tx, actor: Actor, id: string, ifVersion: number | undefined): Promise<void> {
  const field = await lockField(tx, id)
  checkVersion(field.version, ifVersion)
  const deleted = await setDeleted(tx, id, tx.now)
  await tell(tx, 'deleted', deleted)
  if (field.filterable) await startWork(tx, actor, deleted, {})
}

/** Restoring a field that is there changes nothing. */
export async function restoreField(tx: Tx, actor: Actor, id: string): Promise<CustomField> {
  const field = await lockField(tx, id, { deletedToo: true })
  if (!field.deleted_at) return field
  await lockFields(tx)
  if ((await measureFields(tx)).count >= fieldsMax) {
    throw new Conflict('too_many_fields', `A workspace has at most ${fieldsMax} fields. Delete another one first.`)
  }
  const restored = await setDeleted(tx, id, null)
  await tell(tx, 'updated', restored, { changed: ['deleted_at'] })
  return field.filterable ? startWork(tx, actor, restored, {}) : restored
}

/** The named ones come first, in this order; the others follow as they were. */
export async function orderFields(tx: Tx, _actor: Actor, ids: string[]): Promise<void> {
  await lockFields(tx)
  const fields = await customFieldDefinitions(tx)
  const known = new Set(fields.map(({ id }) => id))
  const wanted = [...new Set(ids.map((id) => id.toLowerCase()))]
  const unknown = wanted.findIndex((id) => !known.has(id))
  if (unknown >= 0) throw Invalid.at(`/ids/${unknown}`, 'not_found', 'There is no such field here.')
  const ordered = [...wanted, ...fields.map(({ id }) => id).filter((id) => !wanted.includes(id))]
  await sql`
    update contacts.custom_fields f set position = o.number
    from unnest(${ordered}::uuid[]) with ordinality as o (id, number)
    where f.id = o.id and f.position <> o.number`.execute(tx.sql)
}

export async function lockField(tx: Tx, id: string, { deletedToo = false } = {}): Promise<CustomField> {
  const field = await tx.sql
    .selectFrom('contacts.custom_fields')
    .selectAll()
    .where('id', '=', id)
    .forNoKeyUpdate()
    .executeTakeFirst()
  if (!field || (field.deleted_at && !deletedToo)) throw new NotFound('field')
  return field
}

/** Values and their copies are made to fit by a job; until it ends, questions go to the contacts themselves. */
async function startWork(
  tx: Tx,
  actor: Actor,
  field: CustomField,
  work: { convert?: boolean; replace?: Replacements },
): Promise<CustomField> {
  const jobId = await tx.enqueue(
    'contacts.custom_field',
    { field_id: field.id, actor, ...work },
    { createdBy: actor.id },
  )
  return tx.sql
    .updateTable('contacts.custom_fields')
    .set({ job_id: jobId, indexed_at: null })
    .where('id', '=', field.id)
    .returningAll()
    .executeTakeFirstOrThrow()
}

async function setDeleted(tx: Tx, id: string, deletedAt: Date | null): Promise<CustomField> {
  return tx.sql
    .updateTable('contacts.custom_fields')
    .set({ deleted_at: deletedAt })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()
}

/** Making, restoring and ordering wait for each other: they count and number all fields. */
async function lockFields(tx: Tx): Promise<void> {
  await sql`select pg_advisory_xact_lock(7276775, hashtext(${tx.workspaceId}))`.execute(tx.sql)
}

async function measureFields(tx: Tx): Promise<{ position: number; count: number }> {
  const { rows } = await sql<{ position: number; count: number }>`
    select coalesce(max(position), 0) + 1 as position, count(*) filter (where deleted_at is null) as count
    from contacts.custom_fields`.execute(tx.sql)
  return rows[0]!
}

async function freeKey(tx: Tx, wanted: string): Promise<string> {
  const { rows } = await sql<{ key: string }>`
    select case number when 1 then ${wanted} else ${wanted} || '_' || number end as key from generate_series(1, 500) as number
    where not exists (select from contacts.custom_fields f
      where f.key = case number when 1 then ${wanted} else ${wanted} || '_' || number end)
    order by number limit 1`.execute(tx.sql)
  return rows[0]?.key ?? `field_${newId().replaceAll('-', '')}`
}

function toRow({ choices, ...definition }: Definition) {
  const { label, type, description, required, filterable, minimum, maximum, max_length } = definition
  const plain = { label, type, description, required, filterable, minimum, maximum, max_length }
  return { ...plain, choices: JSON.stringify(choices) }
}

function changedNames(before: Definition, next: Definition): string[] {
  const names = Object.keys(toRow(next)) as (keyof Definition)[]
  return names.filter((name) =>
    name === 'choices' ? choicesText(before) !== choicesText(next) : before[name] !== next[name],
  )
}

/** The database keeps the keys of an object in an order of its own. */
function choicesText({ choices }: Definition): string {
  return JSON.stringify(choices.map(({ value, label, color }) => [value, label, color]))
}

async function tell(tx: Tx, what: 'created' | 'updated' | 'deleted', field: CustomField, more: object = {}) {
  const { id, key, label, type } = field
  await tx.publish(`contact.field.${what}`, id, { field_id: id, key, label, type, ...more })
}

function keyTaken(key: string) {
  const detail = `There is a field “${key}” already; a deleted one can be restored with its values.`
  const errors = [{ pointer: '/key', code: 'key_taken', detail }]
  return { custom_fields_key: () => new Conflict('key_taken', detail, { errors }) }
}

function valuesDoNotFit(misfits: number, values: number, type: FieldType): Conflict {
  const detail = `${misfits} of ${values} stored values cannot be turned into ${type}. Correct them first.`
  return new Conflict('values_do_not_fit', detail, {
    errors: [{ pointer: '/type', code: 'values_do_not_fit', detail }],
  })
}

function choicesInUse(choices: { value: string; count: number }[]): Conflict {
  const errors = choices.map(({ value, count }) => ({
    pointer: '/choices',
    code: 'choice_in_use',
    detail: `${count} contacts have “${value}”. Say in replace_with what they get instead, or null for nothing.`,
  }))
  return new Conflict('choice_in_use', errors.map(({ detail }) => detail).join(' '), { errors })
}

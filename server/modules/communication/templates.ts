/** Templates: named mails that campaigns start from. Only what can be rendered is kept. */
import { sql } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { checkVersion, Conflict, Invalid, NotFound } from '#platform/errors.ts'
import { afterCursor, countRows, orderBy, page, parseSort, type SortColumn } from '#platform/http/paging.ts'
import { newId } from '#platform/ids.ts'
import type { MessageTemplate } from './message-tables.ts'
import { compileMail } from './render/template.ts'

export interface TemplateInput {
  name?: string
  subject?: string
  body_html?: string
  body_text?: string | null
}

const sortColumns: Record<string, SortColumn> = {
  name: { expression: sql`lower(t.name)`, type: 'text' },
  created_at: { expression: sql`t.created_at`, type: 'timestamptz' },
  updated_at: { expression: sql`t.updated_at`, type: 'timestamptz' },
}

export interface TemplatesQuery {
  search?: string
  sort?: string
  limit?: number
  cursor?: string
  count?: 'exact'
  deleted?: boolean
}

export async function listTemplates<View>(tx: Tx, query: TemplatesQuery, view: (row: MessageTemplate) => View) {
  const limit = query.limit ?? 50
  const sort = parseSort(query.sort, sortColumns, '-updated_at')
  const after = afterCursor(query.cursor, sort, sql`t.id`)
  const words = query.search?.trim()
  const from = sql`from communication.templates t
    where t.workspace_id = platform.workspace_id() and t.deleted_at is ${query.deleted ? sql`not null` : sql`null`}
    ${words ? sql`and position(platform.fold(${words}) in platform.fold(t.name || ' ' || t.subject)) > 0` : sql``}`
  const { rows } = await sql<MessageTemplate & { sort_key: string }>`
    select t.*, (${sort.column.expression})::text as sort_key ${from} ${after ? sql`and ${after}` : sql``}
    order by ${orderBy(sort, sql`t.id`)} limit ${limit + 1}`.execute(tx.sql)
  const total = await countRows(tx, from, query.count === 'exact')
  return { ...page(rows, limit, sort, view), total }
}

export async function getTemplate(tx: Tx, id: string): Promise<MessageTemplate> {
  const found = await presentTemplate(tx, id).executeTakeFirst()
  if (!found) throw new NotFound('template')
  return found
}

export async function createTemplate(
  tx: Tx,
  actor: Actor,
  input: TemplateInput & { name: string },
): Promise<MessageTemplate> {
  requireRenderable(input)
  const row = {
    workspace_id: tx.workspaceId,
    id: newId(),
    name: input.name.trim(),
    subject: input.subject ?? '',
    body_html: input.body_html ?? '',
    body_text: input.body_text ?? null,
    created_by: actor.kind === 'user' ? actor.id : null,
  }
  return orNameTaken(tx.sql.insertInto('communication.templates').values(row).returningAll().executeTakeFirstOrThrow())
}

export async function updateTemplate(
  tx: Tx,
  _actor: Actor,
  id: string,
  input: TemplateInput,
  ifVersion: number | undefined,
): Promise<MessageTemplate> {
  const template = await lockTemplate(tx, id)
  checkVersion(template.version, ifVersion)
  requireRenderable({ ...template, ...input })
  const changes = { ...input, ...(input.name === undefined ? {} : { name: input.name.trim() }) }
  if (!Object.keys(changes).length) return template
  const update = tx.sql.updateTable('communication.templates').set(changes).where('id', '=', id).returningAll()
  return orNameTaken(update.executeTakeFirstOrThrow())
}

/** Campaigns hold copies of their content, so none of them changes. */
export async function deleteTemplate(tx: Tx, _actor: Actor, id: string, ifVersion: number | undefined): Promise<void> {
  const template = await lockTemplate(tx, id)
  checkVersion(template.version, ifVersion)
  await tx.sql.updateTable('communication.templates').set({ deleted_at: tx.now }).where('id', '=', id).execute()
}

/** Restoring one that is there changes nothing. */
export async function restoreTemplate(tx: Tx, _actor: Actor, id: string): Promise<MessageTemplate> {
  const rows = tx.sql.selectFrom('communication.templates').selectAll().where('id', '=', id)
  const template = await rows.forUpdate().executeTakeFirst()
  if (!template) throw new NotFound('template')
  if (!template.deleted_at) return template
  const update = tx.sql.updateTable('communication.templates').set({ deleted_at: null }).where('id', '=', id)
  return orNameTaken(update.returningAll().executeTakeFirstOrThrow())
}

/** The copy is called "Menu (2)", "Menu (3)" …: the first number that is free. */
export async function duplicateTemplate(tx: Tx, actor: Actor, id: string): Promise<MessageTemplate> {
  const template = await lockTemplate(tx, id)
  const base = template.name.replace(/ \(\d{1,6}\)$/, '').slice(0, 180)
  const { rows } = await sql<{ name: string }>`
    select lower(name) as name from communication.templates
    where deleted_at is null and starts_with(lower(name), lower(${base}))`.execute(tx.sql)
  const taken = new Set(rows.map((row) => row.name))
  let number = 2
  while (taken.has(`${base} (${number})`.toLowerCase())) number++
  const { subject, body_html, body_text } = template
  return createTemplate(tx, actor, { name: `${base} (${number})`, subject, body_html, body_text })
}

/** 422 with every fault at its part; the line is said in words, because a pointer cannot. */
export function requireRenderable(input: TemplateInput): void {
  const { subject = '', body_html: html = '', body_text: text = null } = input
  const compiled = compileMail({ subject, html, text })
  if (!('errors' in compiled)) return
  const errors = compiled.errors.map(({ pointer, line, detail }) => ({
    pointer,
    code: 'template',
    detail: `Line ${line}: ${detail}`,
  }))
  throw new Invalid('invalid_template', 'The template cannot be rendered.', { errors })
}

function presentTemplate(tx: Tx, id: string) {
  return tx.sql.selectFrom('communication.templates').selectAll().where('id', '=', id).where('deleted_at', 'is', null)
}

async function lockTemplate(tx: Tx, id: string): Promise<MessageTemplate> {
  const template = await presentTemplate(tx, id).forUpdate().executeTakeFirst()
  if (!template) throw new NotFound('template')
  return template
}

async function orNameTaken<T>(written: Promise<T>): Promise<T> {
  try {
    return await written
  } catch (error) {
    if ((error as { constraint?: string }).constraint !== 'templates_name') throw error
    const detail = 'Another template has this name.'
    throw new Conflict('name_taken', detail, { errors: [{ pointer: '/name', code: 'taken', detail }] })
  }
}

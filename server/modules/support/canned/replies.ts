/** Canned replies: answers that are written once, for oneself or for the help desk. */
import './tables.ts'
import { sql, type RawBuilder } from 'kysely'
import { may, type Actor, type Permissions } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { says, searchWords } from '#platform/db/search.ts'
import { checkVersion, Conflict, Forbidden, Invalid, NotFound } from '#platform/errors.ts'
import { afterCursor, countRows, orderBy, page, parseSort, type SortColumn } from '#platform/http/paging.ts'
import { newId } from '#platform/ids.ts'
import { orRefuse } from '#platform/db/constraints.ts'
import { ownedBy, refuseTakingBack, requireOwner, sharedWith, type Visibility } from '#platform/saved-views/sharing.ts'
import type { Changing } from '#platform/saved-views/views.ts'
import { cleanTags } from '../ticket-tags.ts'
import type { CannedReply } from './tables.ts'
import { faultsOf } from './variables.ts'

export interface ReplyInput {
  shortcut?: string
  title?: string
  content?: string
  language?: string | null
  category?: string | null
  tags?: string[]
  visibility?: Visibility
}
export type NewReply = ReplyInput & Required<Pick<ReplyInput, 'shortcut' | 'title' | 'content'>>

export interface RepliesQuery {
  search?: string
  category?: string
  tag?: string
  language?: string
  visibility?: Visibility
  mine?: boolean
  deleted?: boolean
  sort?: string
  limit?: number
  cursor?: string
  count?: 'exact'
}

const sortColumns: Record<string, SortColumn> = {
  title: { expression: sql`platform.fold(r.title)`, type: 'text' },
  created_at: { expression: sql`r.created_at`, type: 'timestamptz' },
  updated_at: { expression: sql`r.updated_at`, type: 'timestamptz' },
}
export const replySorts = Object.keys(sortColumns)

/** A language finds what is written in it, and what is for all of them. */
export async function listReplies<View>(tx: Tx, actor: Actor, query: RepliesQuery, view: (reply: CannedReply) => View) {
  const limit = query.limit ?? 50
  const sort = parseSort(query.sort, sortColumns, 'title')
  const after = afterCursor(query.cursor, sort, sql`r.id`)
  const conditions: RawBuilder<unknown>[] = [
    sharedWith(actor, 'r'),
    query.deleted ? sql`r.deleted_at is not null` : sql`r.deleted_at is null`,
  ]
  for (const word of searchWords(query.search)) conditions.push(says(sql`r.search_text`, word))
  if (query.category) conditions.push(sql`platform.fold(r.category) = platform.fold(${query.category})`)
  if (query.tag) conditions.push(sql`r.tag_keys @> array[platform.fold(${query.tag})]`)
  if (query.language) conditions.push(sql`(r.language is null or lower(r.language) = lower(${query.language}))`)
  if (query.visibility) conditions.push(sql`r.visibility = ${query.visibility}`)
  if (query.mine !== undefined) conditions.push(ownedBy(actor, 'r', query.mine))
  const from = sql`from support.canned_replies r
    where r.workspace_id = ${tx.workspaceId}::uuid and ${sql.join(conditions, sql` and `)}`
  const { rows } = await sql<CannedReply & { sort_key: string }>`
    select r.*, (${sort.column.expression})::text as sort_key ${from} ${after ? sql`and ${after}` : sql``}
    order by ${orderBy(sort, sql`r.id`)} limit ${limit + 1}`.execute(tx.sql)
  return { ...page(rows, limit, sort, view), total: await countRows(tx, from, query.count === 'exact') }
}

/** What is another's and private looks as if it were not there. */
export async function getReply(tx: Tx, actor: Actor, id: string): Promise<CannedReply> {
  const { rows } = await sql<CannedReply>`
    select r.* from support.canned_replies r
    where r.workspace_id = ${tx.workspaceId}::uuid and r.id = ${id} and ${sharedWith(actor, 'r')} and r.deleted_at is null`.execute(
    tx.sql,
  )
  if (!rows[0]) throw new NotFound('canned reply')
  return rows[0]
}

export async function createReply(tx: Tx, actor: Actor, input: NewReply): Promise<CannedReply> {
  const ownerId = requireOwner(actor, 'A canned reply')
  checkContent(input)
  return orRefuse(
    tx.sql
      .insertInto('support.canned_replies')
      .values({
        ...cleaned(input),
        shortcut: input.shortcut,
        title: input.title.trim(),
        content: input.content,
        workspace_id: tx.workspaceId,
        id: newId(),
        owner_id: ownerId,
        owner_name: actor.name,
        created_at: tx.now,
        updated_at: tx.now,
      })
      .returningAll()
      .executeTakeFirstOrThrow(),
    shortcutTaken(input.shortcut),
  )
}

/** Naming nothing changes nothing, not even the version. */
export async function changeReply(
  tx: Tx,
  actor: Actor,
  id: string,
  input: ReplyInput,
  { permissions, ifVersion }: Changing,
): Promise<CannedReply> {
  const reply = await lockReply(tx, actor, id, permissions)
  checkVersion(reply.version, ifVersion)
  if (!Object.keys(input).length) return reply
  refuseTakingBack(actor, reply, input.visibility)
  checkContent(input)
  return write(tx, reply, cleaned(input), input.shortcut)
}

/** It can be restored. */
export async function deleteReply(tx: Tx, actor: Actor, id: string, changing: Changing): Promise<void> {
  const reply = await lockReply(tx, actor, id, changing.permissions)
  checkVersion(reply.version, changing.ifVersion)
  await write(tx, reply, { deleted_at: tx.now })
}

/** Restoring one that is there changes nothing. */
export async function restoreReply(tx: Tx, actor: Actor, id: string, permissions: Permissions): Promise<CannedReply> {
  const reply = await lockReply(tx, actor, id, permissions, { deletedToo: true })
  return reply.deleted_at ? write(tx, reply, { deleted_at: null }) : reply
}

export function mayChange(permissions: Permissions, actor: Actor, reply: CannedReply): boolean {
  if (reply.owner_id === actor.id) return true
  return reply.visibility === 'workspace' && may(permissions, actor, 'ticket.configure')
}

async function lockReply(
  tx: Tx,
  actor: Actor,
  id: string,
  permissions: Permissions,
  { deletedToo = false } = {},
): Promise<CannedReply> {
  const { rows } = await sql<CannedReply>`
    select r.* from support.canned_replies r
    where r.workspace_id = ${tx.workspaceId}::uuid and r.id = ${id} and ${sharedWith(actor, 'r')} for no key update`.execute(
    tx.sql,
  )
  const reply = rows[0]
  if (!reply || (reply.deleted_at && !deletedToo)) throw new NotFound('canned reply')
  if (mayChange(permissions, actor, reply)) return reply
  throw new Forbidden(
    'not_yours',
    'This reply is shared by somebody else. Ask them or an admin, or save one of your own.',
  )
}

async function write(
  tx: Tx,
  reply: CannedReply,
  set: ReplyInput & { deleted_at?: Date | null },
  shortcut = reply.shortcut,
): Promise<CannedReply> {
  return orRefuse(
    tx.sql
      .updateTable('support.canned_replies')
      .set(set)
      .where('workspace_id', '=', tx.workspaceId)
      .where('id', '=', reply.id)
      .returningAll()
      .executeTakeFirstOrThrow(),
    shortcutTaken(shortcut),
  )
}

function cleaned(input: ReplyInput): ReplyInput {
  return {
    ...input,
    ...(input.title === undefined ? {} : { title: input.title.trim() }),
    ...(input.category === undefined ? {} : { category: input.category?.trim() || null }),
    ...(input.tags ? { tags: cleanTags(input.tags) } : {}),
  }
}

function checkContent({ content }: ReplyInput): void {
  const errors = faultsOf(content ?? '').map((fault) => ({ pointer: '/content', ...fault }))
  if (errors.length) throw new Invalid('invalid', errors[0]!.detail, { errors: errors.slice(0, 20) })
}

function shortcutTaken(shortcut: string) {
  const detail = `The shortcut “${shortcut}” is taken in this workspace. Choose another.`
  const errors = [{ pointer: '/shortcut', code: 'shortcut_taken', detail }]
  return { canned_replies_shortcut: () => new Conflict('shortcut_taken', detail, { errors }) }
}

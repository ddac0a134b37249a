/** Short internal notes on a contact (document 4). */
import { sql, type Selectable } from 'kysely'
import { Type } from 'typebox'
import type { Actor } from '#platform/actor.ts'
import type { Tables } from '#platform/db/tables.ts'
import type { Tx } from '#platform/db/db.ts'
import { NotFound } from '#platform/errors.ts'
import { newId } from '#platform/ids.ts'
import { afterCursor, countRows, orderBy, page, parseSort } from '#platform/http/paging.ts'
import { created, route } from '#platform/http/route.ts'
import { Closed, Id, Message, NullableId, Page, pageQuery, Problem, Timestamp } from '#platform/http/shapes.ts'
import { contactData } from './contact-events.ts'
import { getContact } from './contacts.ts'
import { recordInteractions } from './interactions.ts'
import { userId } from './membership.ts'

export type Note = Selectable<Tables['contacts.notes']>

const params = Closed({ id: Id })

const NoteView = Type.Object(
  {
    id: Id,
    contact_id: Id,
    content: Type.String(),
    created_by: NullableId,
    created_by_name: Type.String(),
    created_at: Timestamp,
  },
  { $id: 'Note' },
)

export const NoteContent = Type.String({ minLength: 1, maxLength: 500, pattern: '\\S' })

export async function addNote(tx: Tx, actor: Actor, contactId: string, content: string): Promise<Note> {
  const contact = await getContact(tx, contactId)
  const note = await tx.sql
    .insertInto('contacts.notes')
    .values({
      workspace_id: tx.workspaceId,
      id: newId(),
      contact_id: contactId,
      content,
      created_by: userId(actor),
      created_by_name: actor.name,
    })
    .returningAll()
    .executeTakeFirstOrThrow()
  await tx.publish('customer.note.added', contactId, { note_id: note.id, content, ...contactData(contact) })
  await recordInteractions(tx, [
    { contactId, type: 'note_added', description: content, metadata: { note_id: note.id }, actor },
  ])
  return note
}

export interface NotesQuery {
  limit?: number
  cursor?: string
  count?: 'exact'
}

/** Newest first; those of a deleted contact too. */
export async function listNotes<View>(tx: Tx, contactId: string, query: NotesQuery, view: (note: Note) => View) {
  await getContact(tx, contactId, { deletedToo: true })
  const limit = query.limit ?? 50
  const byTime = { created_at: { expression: sql`created_at`, type: 'timestamptz' as const } }
  const sort = parseSort(undefined, byTime, '-created_at')
  const after = afterCursor(query.cursor, sort, sql`id`)
  const from = sql`from contacts.notes where contact_id = ${contactId}`
  const { rows } = await sql<Note & { sort_key: string }>`
    select *, created_at::text as sort_key ${from} ${after ? sql`and ${after}` : sql``}
    order by ${orderBy(sort, sql`id`)} limit ${limit + 1}`.execute(tx.sql)
  return { ...page(rows, limit, sort, view), total: await countRows(tx, from, query.count === 'exact') }
}

/** The timeline keeps that there was a note, without its words. */
export async function deleteNote(tx: Tx, contactId: string, noteId: string): Promise<void> {
  const deleted = await tx.sql
    .deleteFrom('contacts.notes')
    .where('contact_id', '=', contactId)
    .where('id', '=', noteId)
    .returning('id')
    .executeTakeFirst()
  if (!deleted) throw new NotFound('note')
  await sql`
    update contacts.interactions set description = ''
    where contact_id = ${contactId} and interaction_type = 'note_added' and metadata ->> 'note_id' = ${noteId}`.execute(
    tx.sql,
  )
}

const listNotesRoute = route({
  method: 'GET',
  path: '/contacts/:id/notes',
  may: 'contact.read',
  summary: 'Notes on a contact, newest first',
  params,
  query: Closed(pageQuery),
  replies: { 200: Page(NoteView), 404: Problem },
  run: ({ tx, params: { id }, query }) => listNotes(tx, id, query, (note) => note),
})

const addNoteRoute = route({
  method: 'POST',
  path: '/contacts/:id/notes',
  may: 'contact.write',
  summary: 'Add a note',
  params,
  body: Closed({ content: NoteContent }),
  replies: { 201: NoteView, 404: Problem },
  run: async ({ tx, actor, params: { id }, body }) =>
    created(await addNote(tx, actor, id, body.content), `/contacts/${id}/notes`),
})

const deleteNoteRoute = route({
  method: 'DELETE',
  path: '/contacts/:id/notes/:note_id',
  may: 'contact.write',
  summary: 'Delete a note',
  params: Closed({ id: Id, note_id: Id }),
  replies: { 200: Message, 404: Problem },
  run: async ({ tx, params: { id, note_id } }) => {
    await deleteNote(tx, id, note_id)
    return { message: 'The note was deleted.' }
  },
})

export const noteRoutes = [listNotesRoute, addNoteRoute, deleteNoteRoute]

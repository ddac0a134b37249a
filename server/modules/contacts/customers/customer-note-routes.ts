/** The doors of document 4's notes: the contact's own, under the customer's name. */
import { Type } from 'typebox'
import { created, route } from '#platform/http/route.ts'
import { Closed, Id, Message, NullableId, Page, pageQuery, Problem, Timestamp } from '#platform/http/shapes.ts'
import { addNote, deleteNote, listNotes, NoteContent, type Note } from '../notes.ts'
import { CustomerPath } from './customer-fields.ts'

const CustomerNoteView = Type.Object(
  { id: Id, customer_id: Id, content: Type.String(), created_by: NullableId, created_at: Timestamp },
  { $id: 'CustomerNote' },
)

const listNotesRoute = route({
  method: 'GET',
  path: '/customers/:id/notes',
  may: 'contact.read',
  summary: 'Notes on a customer, newest first',
  params: CustomerPath,
  query: Closed(pageQuery),
  replies: { 200: Page(CustomerNoteView), 404: Problem },
  run: ({ tx, params: { id }, query }) => listNotes(tx, id, query, viewNote),
})

const addNoteRoute = route({
  method: 'POST',
  path: '/customers/:id/notes',
  may: 'contact.write',
  summary: 'Add a note, of at most 500 characters',
  params: CustomerPath,
  body: Closed({ content: NoteContent }),
  replies: { 201: CustomerNoteView, 404: Problem },
  run: async ({ tx, actor, params: { id }, body }) =>
    created(viewNote(await addNote(tx, actor, id, body.content)), `/customers/${id}/notes`),
})

const deleteNoteRoute = route({
  method: 'DELETE',
  path: '/customers/:id/notes/:note_id',
  may: 'contact.write',
  summary: 'Delete a note',
  params: Closed({ id: Id, note_id: Id }),
  replies: { 200: Message, 404: Problem },
  run: async ({ tx, params: { id, note_id } }) => {
    await deleteNote(tx, id, note_id)
    return { message: 'The note was deleted.' }
  },
})

export const customerNoteRoutes = [listNotesRoute, addNoteRoute, deleteNoteRoute]

function viewNote({ id, contact_id, content, created_by, created_at }: Note) {
  return { id, customer_id: contact_id, content, created_by, created_at }
}

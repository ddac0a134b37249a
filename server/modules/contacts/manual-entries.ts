/**
 * Entries of the timeline that a person made by hand can be mended, taken away, and brought back for thirty days. What
 * other programs and Rapport itself have recorded stays as it was told.
 */
import { sql } from 'kysely'
import { Type } from 'typebox'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { Conflict, NotFound } from '#platform/errors.ts'
import { route } from '#platform/http/route.ts'
import { Closed, Id, Message, Problem } from '#platform/http/shapes.ts'
import { EntryFields, InteractionView, refuseLongMetadata } from './interaction-shapes.ts'
import { manualTypes, viewInteraction, type Interaction } from './interactions.ts'
import { userId } from './membership.ts'

const params = Closed({ id: Id, interaction_id: Id })

interface EntryChange {
  description?: string
  metadata?: object
  occurred_at?: string
}

/** A change of `occurred_at` can move the entry to another month, and so to another partition. */
async function changeEntry(tx: Tx, contactId: string, id: string, change: EntryChange): Promise<Interaction> {
  await lockEntry(tx, contactId, id)
  return tx.sql
    .updateTable('contacts.interactions')
    .set({
      ...(change.description === undefined ? {} : { description: change.description }),
      ...(change.metadata === undefined ? {} : { metadata: JSON.stringify(change.metadata) }),
      ...(change.occurred_at === undefined ? {} : { occurred_at: new Date(change.occurred_at) }),
      edited_at: tx.now,
    })
    .where('contact_id', '=', contactId)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()
}

async function removeEntry(tx: Tx, actor: Actor, contactId: string, id: string): Promise<void> {
  await lockEntry(tx, contactId, id)
  await sql`
    with gone as (
      delete from contacts.interactions where contact_id = ${contactId} and id = ${id} returning *)
    insert into contacts.removed_interactions (${columns}, removed_at, removed_by)
    select ${columns}, ${tx.now}, ${userId(actor)}::uuid from gone`.execute(tx.sql)
}

async function restoreEntry(tx: Tx, contactId: string, id: string): Promise<Interaction> {
  const { rows } = await sql<Interaction>`
    with back as (
      delete from contacts.removed_interactions where contact_id = ${contactId} and id = ${id} returning *)
    insert into contacts.interactions (${columns}) select ${columns} from back returning *`.execute(tx.sql)
  if (!rows[0]) throw new NotFound('interaction')
  return rows[0]
}

const columns = sql.raw(
  [
    'workspace_id, id, contact_id, interaction_type, description, metadata, occurred_at, recorded_at, actor_id, actor_name',
    'booking_id, campaign_id, source_key, edited_at',
  ].join(', '),
)

async function lockEntry(tx: Tx, contactId: string, id: string): Promise<void> {
  const entry = await tx.sql
    .selectFrom('contacts.interactions')
    .select(['interaction_type', 'source_key', 'campaign_id', 'metadata'])
    .where('contact_id', '=', contactId)
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
  if (!entry) throw new NotFound('interaction')
  const byHand = manualTypes.some((type) => type === entry.interaction_type)
  if (!byHand || entry.source_key || entry.campaign_id || 'note_id' in (entry.metadata as object)) {
    throw new Conflict(
      'not_by_hand',
      'This entry tells what a program recorded. Only entries that somebody made by hand can be changed or removed.',
    )
  }
}

const changeRoute = route({
  method: 'PATCH',
  path: '/contacts/:id/interactions/:interaction_id',
  may: 'contact.write',
  summary: 'Mend an entry that was made by hand',
  params,
  body: Closed({
    description: Type.Optional(EntryFields.description),
    metadata: EntryFields.metadata,
    occurred_at: EntryFields.occurred_at,
  }),
  replies: { 200: InteractionView, 404: Problem, 409: Problem },
  run: async ({ tx, params: { id, interaction_id }, body }) => {
    refuseLongMetadata(body.metadata)
    return viewInteraction(await changeEntry(tx, id, interaction_id, body))
  },
})

const removeRoute = route({
  method: 'DELETE',
  path: '/contacts/:id/interactions/:interaction_id',
  may: 'contact.write',
  summary: 'Take away an entry that was made by hand; it can be restored for thirty days',
  params,
  replies: { 200: Message, 404: Problem, 409: Problem },
  run: async ({ tx, actor, params: { id, interaction_id } }) => {
    await removeEntry(tx, actor, id, interaction_id)
    return { message: 'The entry was removed.' }
  },
})

const restoreRoute = route({
  method: 'POST',
  path: '/contacts/:id/interactions/:interaction_id/restore',
  may: 'contact.write',
  summary: 'Bring back a removed entry as it was',
  params,
  replies: { 200: InteractionView, 404: Problem },
  run: async ({ tx, params: { id, interaction_id } }) => viewInteraction(await restoreEntry(tx, id, interaction_id)),
})

export const manualEntryRoutes = [changeRoute, removeRoute, restoreRoute]

/** A bulk action upon one ticket, by the operations that change a single one: its rules, its ledger, its events. */
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { Conflict, RapportError } from '#platform/errors.ts'
import { giveTicket, resolveTicket, takeBack } from '../moves.ts'
import { cleanTags, tagsMax } from '../ticket-tags.ts'
import { deleteTicket, lockTicket, restoreTicket, updateTicket } from '../tickets.ts'
import type { Ticket } from '../tables.ts'
import type { ActionName, Params } from './request.ts'
import type { Image } from './tables.ts'

/** Answers what the ticket was and is; where nothing changed, the two are the same. */
export async function doTo(
  tx: Tx,
  actor: Actor,
  id: string,
  { action, params }: { action: ActionName; params: Params },
): Promise<{ before: Image; after: Image; changed: boolean }> {
  const ticket = await lockTicket(tx, actor, id, { deletedToo: action === 'restore' })
  const done = await act(tx, actor, ticket, { action, params })
  return { before: imageOf(ticket, params), after: imageOf(done, params), changed: done.version !== ticket.version }
}

async function act(
  tx: Tx,
  actor: Actor,
  ticket: Ticket,
  { action, params }: { action: ActionName; params: Params },
): Promise<Ticket> {
  const { id } = ticket
  switch (action) {
    case 'assign':
      return params.agent_id ? giveTicket(tx, actor, ticket, params.agent_id) : takeBack(tx, actor, ticket)
    case 'set_status':
      if (params.status === 'resolved' && params.resolution) return resolveTicket(tx, actor, ticket, params.resolution)
      return updateTicket(tx, actor, id, { status: params.status! }, undefined)
    case 'set_priority':
      return updateTicket(tx, actor, id, { priority: params.priority! }, undefined)
    case 'set_category':
      return updateTicket(tx, actor, id, { category: params.category ?? null }, undefined)
    case 'add_tag':
      return addTag(tx, actor, ticket, params.tag!)
    case 'remove_tag':
      return removeTag(tx, actor, ticket, params.tag!)
    case 'delete':
      await deleteTicket(tx, actor, id, undefined)
      return { ...ticket, deleted_at: tx.now, version: ticket.version + 1 }
    case 'restore':
      return restoreTicket(tx, actor, id)
  }
}

/** The first spelling stays, so a tag that is there in other letters is there. */
export async function addTag(tx: Tx, actor: Actor, ticket: Ticket, tag: string): Promise<Ticket> {
  if (hasTag(ticket.tags, tag)) return ticket
  const tags = cleanTags([...ticket.tags, tag])
  if (tags.length > tagsMax) throw new Conflict('tags_full', `A ticket has at most ${tagsMax} tags. Remove one first.`)
  return updateTicket(tx, actor, ticket.id, { tags }, undefined)
}

export async function removeTag(tx: Tx, actor: Actor, ticket: Ticket, tag: string): Promise<Ticket> {
  if (!hasTag(ticket.tags, tag)) return ticket
  const key = keyOf(tag)
  return updateTicket(tx, actor, ticket.id, { tags: ticket.tags.filter((each) => keyOf(each) !== key) }, undefined)
}

export function imageOf(ticket: Ticket, { tag }: Params): Image {
  const { status, assigned_to, priority, category } = ticket
  const spelled = tag === undefined ? undefined : ticket.tags.find((each) => keyOf(each) === keyOf(tag))
  return { status, assigned_to, priority, category, tag: spelled ?? null, is_deleted: ticket.deleted_at !== null }
}

/** What the rules refuse of one ticket leaves no trace of it and keeps nobody from going on; answers the reason. */
export async function orReason<T>(tx: Tx, run: () => Promise<T>): Promise<{ done: T } | { reason: string }> {
  await tx.rawQuery('savepoint one_ticket')
  try {
    const done = await run()
    await tx.rawQuery('release savepoint one_ticket')
    return { done }
  } catch (error) {
    if (!(error instanceof RapportError)) throw error
    await tx.rawQuery('rollback to savepoint one_ticket')
    return { reason: error.code }
  }
}

function hasTag(tags: string[], tag: string): boolean {
  return tags.some((each) => keyOf(each) === keyOf(tag))
}

function keyOf(tag: string): string {
  return tag.trim().normalize('NFC').toLowerCase()
}

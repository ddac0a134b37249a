/** Whoever asked for something that is done later. */
import { may, type Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import type { Job } from '#platform/jobs/job.ts'
import { membersAmong } from './members.ts'
import { rankOf } from './ranks.ts'

/**
 * As they are by now, and never with more than they had when they asked. Null where the membership has ended, or the key was
 * revoked or is over.
 */
async function actorNow(tx: Tx, asked: Actor): Promise<Actor | null> {
  if (!asked.id) return null
  if (asked.kind === 'key') return (await isKey(tx, asked.id)) ? asked : null
  const id = asked.id.toLowerCase()
  const member = asked.kind === 'user' ? (await membersAmong(tx, [id])).get(id) : undefined
  if (!member) return null
  return rankOf(member.role) > rankOf(asked.role) ? asked : { ...asked, role: member.role }
}

/** Of a job that keeps its asker in `data.actor`. Null where they may not do by now what they asked for. */
export async function askerOf(tx: Tx, { data, runtime }: Job, permission: string): Promise<Actor | null> {
  const actor = await actorNow(tx, data.actor as Actor)
  return actor && may(runtime.permissions, actor, permission) ? actor : null
}

async function isKey(tx: Tx, id: string): Promise<boolean> {
  const key = await tx.sql
    .selectFrom('accounts.api_keys')
    .select('id')
    .where('id', '=', id)
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', tx.now)]))
    .executeTakeFirst()
  return key !== undefined
}

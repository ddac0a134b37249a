/** Carries out the policy for inactive contacts, through the functions of bulk actions; and the task that starts it each month. */
import { sql } from 'kysely'
import { systemActor, type Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import type { Job, JobDefinition } from '#platform/jobs/job.ts'
import { every } from '#platform/module.ts'
import { listWorkspaceIds } from '#modules/accounts/index.ts'
import { publishContacts, type ContactFacts } from '../contact-events.ts'
import { deleteContacts } from '../contact-removal.ts'
import { recordInteractions } from '../interactions.ts'
import { tagContacts } from '../tagging.ts'
import { ensureTags } from '../tags.ts'
import { fromInactive, getPolicy, startCleanup, type Policy } from './policy.ts'

export const cleanInactiveJob: JobDefinition = {
  kind: 'contacts.clean_inactive',
  retryLimit: 5,
  concurrency: 1,
  run: cleanInactive,
}

export const inactiveTasks = [
  every('0 4 1 * *', 'contacts.clean_inactive', async (runtime) => {
    for (const workspaceId of await listWorkspaceIds(runtime.db)) {
      await runtime.db.transaction(workspaceId, async (tx) => {
        const policy = await getPolicy(tx)
        if (policy.enabled) await startCleanup(tx, systemActor(workspaceId))
      })
    }
  }),
]

const batchSize = 1_000

interface Progress {
  afterId: string
  done: number
}

/** The policy and the day are those of the start: a change meanwhile, or a night in between, is for the next month. */
async function cleanInactive(job: Job): Promise<object> {
  const { policy, cutoff, actor } = job.data as unknown as { policy: Policy; cutoff: string; actor: Actor }
  let state = (job.cursor as Progress | null) ?? { afterId: '00000000-0000-0000-0000-000000000000', done: 0 }
  for (;;) {
    const reached: Progress = state
    const next = await job.transaction(async (tx) => {
      const { rows } = await sql<{ id: string }>`
        select c.id ${fromInactive(policy, cutoff)} and c.id > ${reached.afterId}::uuid order by c.id limit ${batchSize}`.execute(
        tx.sql,
      )
      if (!rows.length) return null
      const ids = rows.map(({ id }) => id)
      await act(tx, actor, policy, ids)
      const progress = { afterId: ids.at(-1)!, done: reached.done + ids.length }
      await job.checkpoint(tx, { cursor: progress, done: progress.done })
      return progress
    })
    if (!next) return { action: policy.action, changed: state.done }
    state = next
  }
}

async function act(tx: Tx, actor: Actor, policy: Policy, ids: string[]): Promise<void> {
  switch (policy.action) {
    case 'delete':
      await deleteContacts(tx, actor, ids)
      return
    case 'tag': {
      const tags = await ensureTags(tx, actor, policy.tag ? [policy.tag] : [])
      await tagContacts(
        tx,
        actor,
        tags.map(({ id }) => id),
        ids,
      )
      return
    }
    case 'deactivate':
      await deactivate(tx, actor, ids)
      return
    default:
      return policy.action satisfies never
  }
}

async function deactivate(tx: Tx, actor: Actor, ids: string[]): Promise<void> {
  const { rows } = await sql<ContactFacts>`
    update contacts.contacts c set is_active = false
    where c.is_active and c.id in (
      select id from contacts.contacts where id = any(${ids}::uuid[]) and deleted_at is null order by id for no key update)
    returning c.id, c.email, c.first_name, c.last_name`.execute(tx.sql)
  await publishContacts(tx, 'updated', rows, { changed: ['is_active'] })
  await recordInteractions(
    tx,
    rows.map(({ id }) => ({
      contactId: id,
      type: 'contact_updated' as const,
      description: 'Switched off: not heard of for long',
      metadata: { changed: ['is_active'], reason: 'inactive' },
      actor,
    })),
  )
}

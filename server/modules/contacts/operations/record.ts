/**
 * The log of what people do to contacts (docs/decisions/0025). Whoever changes contacts works within an operation; the
 * database's triggers keep what was there before, and `undo.ts` puts it back.
 */
import { sql } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { newId } from '#platform/ids.ts'
import type { OperationKind } from './tables.ts'

/** How long something can be undone, and the log is kept. */
export const undoDays = 30

export interface NewOperation {
  kind: OperationKind
  /** What was done, within the kind: `add_tag`, `set_field`; of a single record the kind itself will do. */
  action: string
  /** What a label is made of (`{tag: 'vip'}`, `{field: 'company'}`): names of things, never of persons. */
  facts?: object
  counts?: object
  /** Contacts that it touched without the triggers seeing it: they show it in their history. */
  contactIds?: string[]
  /** Of an import or a merge, its own id: what its undo is asked by. */
  subjectId?: string
  jobId?: string
  undoOf?: string
  /** False where nothing can take it back. */
  undoable?: boolean
}

/** Writes the row of something that keeps its own way back, such as an import or a merge; answers its id. */
export async function recordOperation(tx: Tx, actor: Actor, operation: NewOperation): Promise<string> {
  const { contactIds = [], undoable = true } = operation
  const id = newId()
  await tx.sql
    .insertInto('contacts.operations')
    .values({
      workspace_id: tx.workspaceId,
      id,
      kind: operation.kind,
      action: operation.action,
      actor_kind: actor.kind,
      actor_id: actor.id,
      actor_name: actor.name,
      facts: JSON.stringify(operation.facts ?? {}),
      counts: JSON.stringify(operation.counts ?? {}),
      contacts: contactIds.length,
      subject_id: operation.subjectId ?? null,
      job_id: operation.jobId ?? null,
      undo_of: operation.undoOf ?? null,
      created_at: tx.now,
      undoable_until: undoable ? new Date(tx.now.getTime() + undoDays * 86_400_000) : null,
    })
    .execute()
  if (contactIds.length) {
    await sql`
      insert into contacts.operation_changes (workspace_id, operation_id, contact_id)
      select workspace_id, ${id}::uuid, id from contacts.contacts
      where workspace_id = ${tx.workspaceId} and id = any(${contactIds}::uuid[])`.execute(tx.sql)
  }
  return id
}

/**
 * Whatever `run` changes of contacts, their tags and lists is kept as the operation's. An operation within another is a
 * part of it, so that a function that records itself may be used by a larger one.
 */
export async function within<T>(tx: Tx, operationId: string, run: () => Promise<T>): Promise<T> {
  if (current.has(tx)) return run()
  current.set(tx, operationId)
  await sql`select set_config('rapport.operation_id', ${operationId}, true)`.execute(tx.sql)
  // When it fails, the transaction fails with it, and the setting goes.
  const result = await run()
  current.delete(tx)
  await sql`select set_config('rapport.operation_id', '', true)`.execute(tx.sql)
  return result
}

/** The operation that a transaction works within, if any: the consent ledger names it as evidence. */
export function operationOf(tx: Tx): string | null {
  return current.get(tx) ?? null
}

const current = new WeakMap<Tx, string>()

/**
 * Records and does it at once, and adds the names of the fields that changed to the facts; where nothing changed, nothing
 * is logged.
 */
export async function asOperation<T>(
  tx: Tx,
  actor: Actor,
  operation: NewOperation,
  run: (operationId: string) => Promise<T>,
): Promise<T> {
  const outer = current.get(tx)
  if (outer) return run(outer)
  const id = await recordOperation(tx, actor, operation)
  const result = await within(tx, id, () => run(id))
  await sql`
    with touched as (
      select count(*) as contacts from contacts.operation_changes
      where workspace_id = ${tx.workspaceId} and operation_id = ${id}::uuid),
    fields as (
      select coalesce(jsonb_agg(distinct case when key like 'tag:%' then 'tags' when key like 'list:%' then 'lists' else key end), '[]') as names
      from contacts.operation_changes c, jsonb_object_keys(c.before) as key
      where c.workspace_id = ${tx.workspaceId} and c.operation_id = ${id}::uuid and key <> 'phone_key'),
    counted as (
      update contacts.operations o
      set contacts = touched.contacts, facts = o.facts || jsonb_build_object('fields', (select names from fields))
      from touched where o.workspace_id = ${tx.workspaceId} and o.id = ${id}::uuid and touched.contacts > 0)
    delete from contacts.operations o using touched
    where o.workspace_id = ${tx.workspaceId} and o.id = ${id}::uuid and touched.contacts = 0`.execute(tx.sql)
  return result
}

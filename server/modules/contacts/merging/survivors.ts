/**
 * Whom an old id means. A merged contact stays as a row that points to its survivor, so that links in old mails, events of
 * other programs, and whatever else was written before the merge still reach the person.
 */
import { sql, type RawBuilder } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import { Conflict, RapportError } from '#platform/errors.ts'

/** 404 that says where to look: the contact was merged, and `merged_into` is who it is now. */
export class Merged extends RapportError {
  readonly status = 404
  constructor(survivorId: string) {
    super('merged', `This contact was merged into ${survivorId}. Ask for that one, or undo the merge.`, {
      more: { merged_into: survivorId },
    })
  }
}

/** 409, of a contact that somebody else has merged meanwhile. `pointer` is where the request names it. */
export function alreadyMerged(pointer: string, survivorId: string): Conflict {
  const detail = `This contact was merged into ${survivorId} already. Name that one, or undo the merge.`
  return new Conflict('merged', detail, {
    errors: [{ pointer, code: 'merged', detail }],
    more: { merged_into: survivorId },
  })
}

/** The survivors of those among the contacts that were merged; the others are not in the map. By a small index of the merged alone. */
export async function survivorsOf(tx: Tx, ids: readonly string[]): Promise<Map<string, string>> {
  if (!ids.length) return new Map()
  const { rows } = await sql<{ id: string; merged_into: string }>`
    select id, merged_into from contacts.contacts
    where workspace_id = ${tx.workspaceId} and id = any(${[...new Set(ids)]}::uuid[]) and merged_into is not null`.execute(
    tx.sql,
  )
  return new Map(rows.map((row) => [row.id, row.merged_into]))
}

export async function survivorOf(tx: Tx, id: string): Promise<string> {
  return (await survivorsOf(tx, [id])).get(id.toLowerCase()) ?? id
}

/** Under which ids the person of a contact has said things: its own, and those that were merged into it. For `= any(…)`. */
export function recordsOf(id: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`array(
    select ${id} union all
    select r.id from contacts.contacts r where r.workspace_id = platform.workspace_id() and r.merged_into = ${id})`
}

/** A small copy, answered at once instead of by a job. */
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { NotFound } from '#platform/errors.ts'
import type { Asked } from '#platform/privacy/personal-data.ts'
import type { Services } from '#platform/services.ts'
import { writeDocument } from './document.ts'
import { addRequest } from './requests.ts'
import { findPerson } from './subject.ts'

const lengthMax = 2_000_000

/** Null where it is too large for an answer. */
export async function inlineCopy(tx: Tx, actor: Actor, asked: Asked, services: Services): Promise<string | null> {
  const person = await findPerson(tx, services, asked)
  if (!person) throw new NotFound('person')
  let text = ''
  for await (const piece of writeDocument(tx, services, person)) {
    text += piece
    if (text.length > lengthMax) return null
  }
  const request = await addRequest(tx, actor, 'export', person, services, { withJob: false })
  await tx.sql
    .updateTable('privacy.requests')
    .set({ sealed: null, completed_at: tx.now })
    .where('id', '=', request.id)
    .execute()
  return text
}

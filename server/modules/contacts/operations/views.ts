/** The operation as clients see it. */
import { Type, type Static } from 'typebox'
import {
  AnyJson,
  Id,
  JsonObject,
  NullableId,
  NullableText,
  NullableTimestamp,
  OneOf,
  Timestamp,
} from '#platform/http/shapes.ts'
import { operationKinds } from './tables.ts'
import type { OperationRow } from './log.ts'

const states = ['running', 'done', 'canceled', 'failed', 'undoing', 'undone'] as const

const Person = Type.Object({ id: NullableId, name: Type.String() })

export const operationFields = {
  id: Id,
  kind: OneOf(operationKinds),
  action: Type.String({ description: 'Within the kind: add_tag, set_field, subscribe, …' }),
  actor: Type.Object({ kind: Type.String(), id: NullableId, name: Type.String() }),
  facts: Type.Unsafe<Record<string, unknown>>({
    ...JsonObject,
    description: 'What a label is made of: `fields` that changed, `tag`, `list`, `field`; of an undo, `origin`',
  }),
  counts: Type.Unsafe<Record<string, unknown>>({
    ...JsonObject,
    description:
      'Of a bulk action matched, changed, unchanged, refused; of an undo restored, left, gone; of an import its own',
  }),
  contacts: Type.Integer({ description: 'That it changed' }),
  subject_id: Type.Unsafe<string | null>({ type: ['string', 'null'], format: 'uuid', description: 'Import or merge' }),
  status: OneOf(states),
  job_id: NullableId,
  undo_job_id: NullableId,
  undo_of: NullableId,
  created_at: Timestamp,
  undoable_until: Type.Unsafe<Date | string | null>({
    type: ['string', 'null'],
    format: 'date-time',
    description: 'Null: cannot be undone',
  }),
  undone_at: NullableTimestamp,
  undone_by: Type.Unsafe<Static<typeof Person> | null>({ anyOf: [Person, Type.Null()] }),
}
export const OperationView = Type.Object(operationFields, { $id: 'Operation' })

export const ContactChanges = Type.Object({
  contact: Type.Object({ id: Id, full_name: Type.String(), email: Type.String(), deleted: Type.Boolean() }),
  fields: Type.Array(
    Type.Object({
      field: Type.String({ description: 'A field of the contact, `custom_fields.<key>`, `tags` or `lists`' }),
      id: Type.Optional(Id),
      name: Type.Optional(NullableText),
      before: AnyJson,
      after: AnyJson,
    }),
  ),
})

export const UndoView = Type.Object({
  undo_id: Type.String({ format: 'uuid', description: 'The operation that is the undo; undo it to redo' }),
  restored: Type.Integer({ description: 'Contacts that are as they were' }),
  left: Type.Integer({ description: 'Contacts of which something stays as it is, because somebody changed it since' }),
  gone: Type.Integer({ description: 'Contacts that were deleted or erased since' }),
  reasons: Type.Unsafe<Record<string, number>>({
    type: 'object',
    additionalProperties: { type: 'integer' },
    description:
      'Fields left, by reason: changed_since, email_taken, tag_gone, list_gone, file_gone, said_no, complaint_stays',
  }),
  fields: Type.Array(
    Type.Object({
      contact_id: Id,
      field: Type.String(),
      id: Type.Optional(Id),
      outcome: OneOf(['restored', 'left']),
      reason: Type.Optional(Type.String()),
    }),
  ),
})

export function viewOperation(row: OperationRow): Static<typeof OperationView> {
  const { id, kind, action, facts, counts, contacts, subject_id, job_id, undo_job_id, undo_of } = row
  return {
    id,
    kind,
    action,
    facts,
    counts,
    contacts,
    subject_id,
    job_id,
    undo_job_id,
    undo_of,
    actor: { kind: row.actor_kind, id: row.actor_id, name: row.actor_name },
    status: statusOf(row),
    created_at: row.created_at,
    undoable_until: row.undoable_until,
    undone_at: row.undone_at,
    undone_by: row.undone_at ? { id: row.undone_by, name: row.undone_by_name } : null,
  }
}

function statusOf({ undone_at, undo_status, job_status }: OperationRow): (typeof states)[number] {
  if (undone_at) return 'undone'
  if (undo_status === 'queued' || undo_status === 'running') return 'undoing'
  if (job_status === 'queued' || job_status === 'running') return 'running'
  return job_status === 'canceled' || job_status === 'failed' ? job_status : 'done'
}

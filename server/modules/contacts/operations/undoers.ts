/** How each kind of operation is taken back, and who may. A kind that keeps its own way back has a function here. */
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import type { JobRow } from '#platform/jobs/jobs.ts'
import type { Services } from '#platform/services.ts'
import { undoImport } from '../import/imports.ts'
import { undoMerge } from '../merging/undo.ts'
import type { Operation, OperationKind } from './tables.ts'

/** Contacts: put back as they were; with something left as it is now; not there any more. They add up to those touched. */
export interface UndoCounts {
  restored: number
  left: number
  gone: number
}

interface Undoer {
  /** The permission that undoing asks for; that of doing it. */
  may: string
  /** Left out where the log itself holds what was there before. Answers a job, or what it did at once. */
  undo?(
    tx: Tx,
    actor: Actor,
    operation: Operation & { subject_id: string },
    services: Services,
  ): Promise<{ job: JobRow } | UndoCounts>
}

export const undoers: Record<OperationKind, Undoer> = {
  edit: { may: 'contact.write' },
  delete: { may: 'contact.write' },
  restore: { may: 'contact.write' },
  bulk: { may: 'contact.bulk' },
  import: {
    may: 'contact.import',
    undo: async (tx, actor, { subject_id }) => ({ job: await undoImport(tx, actor, subject_id) }),
  },
  merge: {
    may: 'contact.write',
    undo: async (tx, actor, { subject_id }, services) => {
      const { merge, restored } = await undoMerge(tx, actor, subject_id, services)
      const left = merge.kept.length ? 1 : 0
      return { restored: restored.length + 1 - left, left, gone: 0 }
    },
  },
  undo: { may: 'contact.write' },
}

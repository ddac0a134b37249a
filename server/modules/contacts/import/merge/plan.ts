/** What a merge is told: the plan of the whole import, a batch of rows, and what comes of it. */
import type { RawBuilder } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import type { Services } from '#platform/services.ts'
import type { StagedColumn } from '../columns.ts'
import type { Policy } from '../policy.ts'

export type Duplicates = 'skip' | 'update' | 'merge'
export type FlaggedPurpose = 'newsletter' | 'marketing'

export interface MergePlan {
  importId: string
  fileName: string
  duplicates: Duplicates
  policy: Policy
  columns: readonly StagedColumn[]
  listId: string | null
  consent: DeclaredConsent | null
  createdBy: string | null
  createdByName: string
}

/**
 * What the importer declares. It makes the "yes" of the file's own columns count; a purpose that is true here is granted
 * to everybody in the file whose row does not say otherwise.
 */
export interface DeclaredConsent {
  newsletter?: boolean
  marketing?: boolean
  source: string
  wording: string
}

export interface Staged {
  /** COPY lines by wave: `waves` of them, numbered from 0; `refusals` more, from -1 down, of rows that failed, for their "no". */
  text: string
  waves: number
  refusals: number
  /** By tag number. */
  tagIds: readonly string[]
}

export interface Outcome {
  created: number
  changed: number
  untouched: number
  undeclaredConsents: number
}

export const nothing: Outcome = { created: 0, changed: 0, untouched: 0, undeclaredConsents: 0 }

export type Keys = Pick<Services, 'tokens'>

/** Rows of one batch of which no two carry the same address. */
export interface Wave {
  tx: Tx
  services: Keys
  plan: MergePlan
  staged: Staged
  wave: number
  has: Set<StagedColumn>
}

export type Expression<T = unknown> = RawBuilder<T>

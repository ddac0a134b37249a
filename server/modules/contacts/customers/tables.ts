/** Row types of the customers' tables. */
import type { GeneratedTime, NullableText } from '#platform/db/tables.ts'

export interface AvatarTable {
  workspace_id: string
  contact_id: string
  /** Part of the keys under which the picture lies in the files. */
  file_id: string
  sha256: string
  size_bytes: number
  created_by: NullableText
  created_at: GeneratedTime
}

declare module '#platform/db/tables.ts' {
  interface Tables {
    'contacts.avatars': AvatarTable
  }
}

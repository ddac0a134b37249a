/** Row types of the schema `accounts`. */
import type { ColumnType, Generated, Selectable } from 'kysely'
import type { Role } from '#platform/actor.ts'
import type { GeneratedTime, NullableText, NullableTime } from '#platform/db/tables.ts'

export type Language = 'en' | 'fr' | 'ro'
export type Theme = 'light' | 'dark' | 'auto'

export interface WorkspaceTable {
  id: string
  name: string
  slug: string
  language: Generated<Language>
  timezone: Generated<string>
  country: Generated<string>
  currency: Generated<string>
  mail_from: NullableText
  mail_from_name: NullableText
  postal_address: NullableText
  version: Generated<number>
  created_at: GeneratedTime
  updated_at: GeneratedTime
}

export interface UserTable {
  id: string
  origin: Generated<'rapport' | 'token'>
  email: NullableText
  full_name: Generated<string>
  language: Generated<Language>
  timezone: NullableText
  theme: Generated<Theme>
  password_hash: NullableText
  totp_secret: NullableText
  totp_enabled_at: NullableTime
  totp_last_step: ColumnType<number | null, never, number | null>
  version: Generated<number>
  created_at: GeneratedTime
  updated_at: GeneratedTime
}

export interface MembershipTable {
  workspace_id: string
  user_id: string
  role: Role
  source: Generated<'rapport' | 'token'>
  created_at: GeneratedTime
}

export interface SessionTable {
  id: string
  user_id: string
  workspace_id: string
  token_hash: Buffer
  user_agent: string
  ip: string
  created_at: GeneratedTime
  last_seen_at: GeneratedTime
  expires_at: Date
}

export interface InvitationTable {
  workspace_id: string
  id: string
  email: string
  role: StaffRole
  language: Language
  token_hash: ColumnType<Buffer | null, Buffer | null | undefined, Buffer | null>
  invited_by: NullableText
  created_at: GeneratedTime
  expires_at: Date
}

export interface ApiKeyTable {
  workspace_id: string
  id: string
  name: string
  role: StaffRole
  scopes: string[] | null
  secret_hash: Buffer
  ending: string
  created_by: NullableText
  created_at: GeneratedTime
  expires_at: NullableTime
  last_used_at: NullableTime
}

/** Roles that people of the house have; customers come with tokens of the auth service alone. */
export type StaffRole = Exclude<Role, 'customer'>
export const staffRoles = ['owner', 'admin', 'marketer', 'agent', 'viewer'] as const satisfies StaffRole[]

export type WorkspaceRow = Selectable<WorkspaceTable>
/** By name, so that the statement may stay planned: most requests read their workspace. */
export const workspaceColumns = Object.keys({
  id: true,
  name: true,
  slug: true,
  language: true,
  timezone: true,
  country: true,
  currency: true,
  mail_from: true,
  mail_from_name: true,
  postal_address: true,
  version: true,
  created_at: true,
  updated_at: true,
} satisfies Record<keyof WorkspaceRow, true>) as (keyof WorkspaceRow)[]
export type UserRow = Selectable<UserTable>
export type SessionRow = Selectable<SessionTable>
export type InvitationRow = Selectable<InvitationTable>
export type ApiKeyRow = Selectable<ApiKeyTable>

declare module '#platform/db/tables.ts' {
  interface Tables {
    'accounts.workspaces': WorkspaceTable
    'accounts.users': UserTable
    'accounts.memberships': MembershipTable
    'accounts.sessions': SessionTable
    'accounts.password_resets': { token_hash: Buffer; user_id: string; password_mark: Buffer; expires_at: Date }
    'accounts.recovery_codes': { user_id: string; code_hash: Buffer }
    'accounts.known_devices': { user_id: string; device_hash: Buffer; first_seen_at: GeneratedTime }
    'accounts.invitations': InvitationTable
    'accounts.api_keys': ApiKeyTable
  }
}

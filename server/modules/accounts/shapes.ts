/** Shapes that several doors of accounts share. */
import { Type, type Static } from 'typebox'
import { roles } from '#platform/actor.ts'
import { Id, NullableText, OneOf, Timestamp, Email } from '#platform/http/shapes.ts'
import type { UserRow, WorkspaceRow } from './tables.ts'
import { staffRoles } from './tables.ts'

export const LanguageShape = OneOf(['en', 'fr', 'ro'])
export const AnyRole = OneOf(roles)
export const StaffRoleShape = OneOf(staffRoles)
/** What people type when they sign in: any length that could have been accepted, so that nothing else is learnt. */
export const GivenPassword = Type.String({ minLength: 1, maxLength: 1_024 })
export const CodeShape = Type.String({ minLength: 6, maxLength: 40, description: 'Six digits, or a recovery code' })
export const TokenShape = Type.String({ minLength: 1, maxLength: 4_096 })
export const FullName = Type.String({ minLength: 1, maxLength: 200, pattern: '^[^\\u0000-\\u001f\\u007f]*$' })
export const Country = Type.String({ pattern: '^[A-Z]{2}$', description: 'ISO 3166, such as FR' })
export const TimezoneShape = Type.String({ maxLength: 64, description: 'IANA name, such as Europe/Paris' })
export const EmailShape = Email

export const WorkspaceView = Type.Object(
  {
    id: Id,
    name: Type.String(),
    slug: Type.String(),
    language: LanguageShape,
    timezone: Type.String(),
    country: Type.String(),
    currency: Type.String(),
    mail_from: NullableText,
    mail_from_name: NullableText,
    postal_address: NullableText,
    created_at: Timestamp,
    updated_at: Timestamp,
  },
  { $id: 'Workspace' },
)

export function viewWorkspace(row: WorkspaceRow): Static<typeof WorkspaceView> {
  const { version: _version, ...view } = row
  return view
}

export const MeView = Type.Object(
  {
    id: Id,
    email: NullableText,
    full_name: Type.String(),
    language: LanguageShape,
    timezone: NullableText,
    theme: OneOf(['light', 'dark', 'auto']),
    two_factor_enabled: Type.Boolean(),
    created_at: Timestamp,
  },
  { $id: 'Me' },
)

export function viewMe(user: UserRow): Static<typeof MeView> {
  const { id, email, full_name, language, timezone, theme, created_at } = user
  return {
    id,
    email,
    full_name,
    language,
    timezone,
    theme,
    two_factor_enabled: user.totp_enabled_at !== null,
    created_at,
  }
}

export const SessionView = Type.Object(
  {
    user: MeView,
    workspace: WorkspaceView,
    workspaces: Type.Array(Type.Object({ id: Id, name: Type.String(), role: AnyRole })),
    role: AnyRole,
    permissions: Type.Array(Type.String()),
    csrf_token: Type.Unsafe<string | null>({
      type: ['string', 'null'],
      description: 'Sent back as X-CSRF-Token with every change; null for a bearer, who needs none',
    }),
  },
  { $id: 'Session' },
)
export type SessionView = Static<typeof SessionView>

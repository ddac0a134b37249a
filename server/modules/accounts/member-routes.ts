/** Doors: members and invitations. */
import { Type } from 'typebox'
import { accepted, created, route, streamRoute } from '#platform/http/route.ts'
import { Closed, Id, NullableId, NullableText, Page, pageQuery, Problem, Timestamp } from '#platform/http/shapes.ts'
import {
  acceptInvitation,
  inspectInvitation,
  invite,
  listInvitations,
  resendInvitation,
  withdrawInvitation,
  workspaceOfInvitation,
} from './invitations.ts'
import { listMembers, membersPerPage } from './member-lists.ts'
import { changeRole, removeMember } from './members.ts'
import { readCookie } from './session-routes.ts'
import { viewSession } from './session-view.ts'
import { sessionCookie, sessionSecondsMax } from './sessions.ts'
import {
  AnyRole,
  CodeShape,
  EmailShape,
  FullName,
  GivenPassword,
  LanguageShape,
  SessionView,
  StaffRoleShape,
  TokenShape,
} from './shapes.ts'
import type { InvitationRow } from './tables.ts'

const MemberView = Type.Object(
  {
    user_id: Id,
    email: NullableText,
    full_name: Type.String(),
    role: AnyRole,
    two_factor_enabled: Type.Boolean(),
    created_at: Timestamp,
  },
  { $id: 'Member' },
)

const listMembersRoute = route({
  method: 'GET',
  path: '/members',
  may: 'member.read',
  summary: 'Who belongs to the workspace',
  description: 'In the order in which they came. A page has a thousand unless fewer are asked for.',
  query: Closed({
    ...pageQuery,
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: membersPerPage, default: membersPerPage })),
  }),
  replies: { 200: Page(MemberView) },
  run: ({ tx, query }) => listMembers(tx, query),
})

const memberParams = Closed({ user_id: Id })

const changeRoleRoute = route({
  method: 'PATCH',
  path: '/members/:user_id',
  may: 'member.manage',
  summary: 'Change a member’s role; nobody grants more than they have, and the last owner stays one',
  params: memberParams,
  body: Closed({ role: StaffRoleShape }),
  replies: { 200: MemberView, 404: Problem, 409: Problem },
  run: async ({ tx, actor, params, body }) => changeRole(tx, actor, params.user_id, body.role),
})

const removeMemberRoute = route({
  method: 'DELETE',
  path: '/members/:user_id',
  may: 'member.manage',
  summary: 'Remove a member; their sessions here end at once',
  params: memberParams,
  replies: { 204: Type.Null(), 404: Problem, 409: Problem },
  run: async ({ tx, actor, params }) => removeMember(tx, actor, params.user_id),
})

const InvitationView = Type.Object(
  {
    id: Id,
    email: Type.String(),
    role: StaffRoleShape,
    invited_by: NullableId,
    created_at: Timestamp,
    expires_at: Timestamp,
    expired: Type.Boolean(),
  },
  { $id: 'Invitation' },
)

function viewInvitation(row: InvitationRow) {
  const { id, email, role, invited_by, created_at, expires_at } = row
  return { id, email, role, invited_by, created_at, expires_at, expired: expires_at.getTime() < Date.now() }
}

const listInvitationsRoute = route({
  method: 'GET',
  path: '/invitations',
  may: 'member.manage',
  summary: 'Invitations that wait for an answer',
  replies: { 200: Page(InvitationView) },
  run: async ({ tx }) => {
    const data = (await listInvitations(tx)).map(viewInvitation)
    return { data, next_cursor: null, total: data.length }
  },
})

const inviteRoute = route({
  method: 'POST',
  path: '/invitations',
  may: 'member.manage',
  summary: 'Invite somebody by mail; good for seven days',
  body: Closed({ email: EmailShape, role: StaffRoleShape, language: Type.Optional(LanguageShape) }),
  replies: { 201: InvitationView, 409: Problem },
  run: async ({ tx, actor, body }) => {
    const row = await invite(tx, actor, body)
    return created(viewInvitation(row), `/invitations/${row.id}`)
  },
})

const invitationParams = Closed({ id: Id })

const withdrawRoute = route({
  method: 'DELETE',
  path: '/invitations/:id',
  may: 'member.manage',
  summary: 'Withdraw an invitation; its link ends',
  params: invitationParams,
  replies: { 204: Type.Null(), 404: Problem },
  run: async ({ tx, actor, params }) => withdrawInvitation(tx, actor, params.id),
})

const resendRoute = route({
  method: 'POST',
  path: '/invitations/:id/resend',
  may: 'member.manage',
  summary: 'Send the mail again, with a new link that is good for another week',
  rate: '20/hour',
  params: invitationParams,
  replies: { 202: InvitationView, 404: Problem },
  run: async ({ tx, actor, params }) => {
    const row = await resendInvitation(tx, actor, params.id)
    return accepted(viewInvitation(row), '/invitations')
  },
})

const inspectRoute = route({
  method: 'POST',
  path: '/invitations/inspect',
  may: 'public',
  summary: 'What the link of an invitation is about',
  rate: '30/minute',
  scope: ({ body, services }) => workspaceOfInvitation(services.tokens, body.token),
  body: Closed({ token: TokenShape }),
  replies: {
    200: Type.Object({
      email: Type.String(),
      workspace_name: Type.String(),
      role: StaffRoleShape,
      user_exists: Type.Boolean(),
    }),
    404: Problem,
  },
  run: async ({ tx, body }) => inspectInvitation(tx, body.token),
})

const acceptRoute = streamRoute({
  method: 'POST',
  path: '/invitations/accept',
  may: 'public',
  summary: 'Join: with a name and a new password, or with the account that has this address',
  rate: '30/minute',
  body: Closed({
    token: TokenShape,
    full_name: Type.Optional(FullName),
    password: Type.Optional(GivenPassword),
    totp: Type.Optional(CodeShape),
  }),
  replies: { 200: SessionView, 404: Problem, 409: Problem },
  stream: async ({ runtime, body, ip, userAgent, identity, cookies, reply }) => {
    const { session } = identity
    const signedIn = session ? { userId: session.userId, cookie: readCookie(cookies, runtime) } : null
    const opened = await acceptInvitation(runtime, { ip, userAgent }, body, signedIn)
    reply.cookie(sessionCookie, opened.token, sessionSecondsMax)
    return runtime.db.transaction(opened.workspaceId, (tx) => viewSession(tx, runtime, opened))
  },
})

export const memberRoutes = [
  listMembersRoute,
  changeRoleRoute,
  removeMemberRoute,
  listInvitationsRoute,
  inviteRoute,
  withdrawRoute,
  resendRoute,
  inspectRoute,
  acceptRoute,
]

/** Doors: set-up, signing in and out, one's sessions. */
import { Type } from 'typebox'
import { NotFound } from '#platform/errors.ts'
import { Reply, route, streamRoute } from '#platform/http/route.ts'
import { cookieName } from '#platform/http/handle.ts'
import { Closed, Id, Page, Problem, Text, Timestamp } from '#platform/http/shapes.ts'
import type { Services } from '#platform/services.ts'
import { viewSession } from './session-view.ts'
import { endSession, endSessions, listSessions, sessionCookie, sessionSecondsMax, switchWorkspace } from './sessions.ts'
import { isSetUpNeeded, setUp } from './setup.ts'
import {
  CodeShape,
  Country,
  EmailShape,
  FullName,
  GivenPassword,
  LanguageShape,
  SessionView,
  TimezoneShape,
} from './shapes.ts'
import { signIn } from './sign-in.ts'
import { personOf } from './users.ts'

/** The cookie's value as the browser sent it. */
export function readCookie(cookies: Record<string, string | undefined>, services: Services): string | undefined {
  return cookies[cookieName(sessionCookie, services.publicUrl)]
}

const showSetUp = streamRoute({
  method: 'GET',
  path: '/setup',
  may: 'public',
  summary: 'Whether Rapport waits for its first visit',
  replies: { 200: Type.Object({ needed: Type.Boolean() }) },
  stream: async ({ runtime }) => ({ needed: await isSetUpNeeded(runtime) }),
})

const doSetUp = streamRoute({
  method: 'POST',
  path: '/setup',
  may: 'public',
  summary: 'Make the first workspace and its owner, and sign in; closed for good afterwards',
  rate: '20/minute',
  body: Closed({
    workspace_name: FullName,
    full_name: FullName,
    email: EmailShape,
    password: GivenPassword,
    language: Type.Optional(LanguageShape),
    timezone: Type.Optional(TimezoneShape),
    country: Type.Optional(Country),
  }),
  replies: { 201: SessionView, 409: Problem },
  stream: async ({ runtime, body, ip, userAgent, reply }) => {
    const opened = await setUp(runtime, { ip, userAgent }, body)
    reply.cookie(sessionCookie, opened.token, sessionSecondsMax)
    const view = await runtime.db.transaction(opened.workspaceId, (tx) => viewSession(tx, runtime, opened))
    return new Reply(201, view, { location: '/api/v1/session', 'cache-control': 'no-store' })
  },
})

const openSessionRoute = streamRoute({
  method: 'POST',
  path: '/session',
  may: 'public',
  summary: 'Sign in',
  description:
    '401 `invalid_credentials`; `totp_required` asks for the second factor, `totp_invalid` refuses it. Ten attempts ' +
    'for one account, a hundred from one address, in a quarter of an hour; then 429 with Retry-After.',
  body: Closed({ email: Text(254, { minLength: 1 }), password: GivenPassword, totp: Type.Optional(CodeShape) }),
  replies: { 200: SessionView },
  stream: async ({ runtime, body, ip, userAgent, reply, cookies }) => {
    const opened = await signIn(runtime, { ip, userAgent }, body, readCookie(cookies, runtime))
    reply.cookie(sessionCookie, opened.token, sessionSecondsMax)
    return runtime.db.transaction(opened.workspaceId, (tx) => viewSession(tx, runtime, opened))
  },
})

const showSession = route({
  method: 'GET',
  path: '/session',
  may: 'signed in',
  summary: 'Who is signed in, where, and what they may do',
  replies: { 200: SessionView },
  run: async ({ tx, services, actor, identity }) =>
    viewSession(tx, services, {
      userId: personOf(actor),
      workspaceId: actor.workspaceId,
      csrfToken: identity.session?.csrfToken ?? null,
      actor,
    }),
})

const closeSession = route({
  method: 'DELETE',
  path: '/session',
  may: 'signed in',
  summary: 'Sign out',
  replies: { 204: Type.Null() },
  run: async ({ tx, identity, reply }) => {
    if (identity.session) await endSession(tx, identity.session.userId, identity.session.id)
    reply.cookie(sessionCookie, null)
  },
})

const chooseWorkspace = route({
  method: 'PUT',
  path: '/session/workspace',
  may: 'signed in',
  summary: 'Go on in another of one’s workspaces',
  body: Closed({ workspace_id: Id }),
  replies: { 200: SessionView, 404: Problem },
  run: async ({ tx, services, actor, identity, body }) => {
    const userId = personOf(actor)
    // A bearer's workspace is the token's; only a session can change its own.
    if (!identity.session || !(await switchWorkspace(tx, identity.session, body.workspace_id))) {
      throw new NotFound('workspace')
    }
    return viewSession(tx, services, {
      userId,
      workspaceId: body.workspace_id,
      csrfToken: identity.session.csrfToken,
    })
  },
})

const OwnSession = Type.Object({
  id: Id,
  created_at: Timestamp,
  last_seen_at: Timestamp,
  user_agent: Type.String(),
  ip: Type.String(),
  current: Type.Boolean(),
})

const listOwnSessions = route({
  method: 'GET',
  path: '/sessions',
  may: 'signed in',
  summary: 'Where one is signed in',
  replies: { 200: Page(OwnSession) },
  run: async ({ tx, actor, identity }) => {
    const rows = await listSessions(tx, personOf(actor))
    const data = rows.map(({ id, created_at, last_seen_at, user_agent, ip }) => ({
      id,
      created_at,
      last_seen_at,
      user_agent,
      ip,
      current: id === identity.session?.id,
    }))
    return { data, next_cursor: null, total: data.length }
  },
})

const endOneSession = route({
  method: 'DELETE',
  path: '/sessions/:id',
  may: 'signed in',
  summary: 'End one of one’s sessions',
  params: Closed({ id: Id }),
  replies: { 204: Type.Null(), 404: Problem },
  run: async ({ tx, actor, params }) => endSession(tx, personOf(actor), params.id),
})

const endAllSessions = route({
  method: 'DELETE',
  path: '/sessions',
  may: 'signed in',
  summary: 'Sign out everywhere, here included',
  replies: { 204: Type.Null() },
  run: async ({ tx, actor, reply }) => {
    await endSessions(tx, personOf(actor))
    reply.cookie(sessionCookie, null)
  },
})

export const sessionRoutes = [
  showSetUp,
  doSetUp,
  openSessionRoute,
  showSession,
  closeSession,
  chooseWorkspace,
  listOwnSessions,
  endOneSession,
  endAllSessions,
]

/** The threshold of a door, before its body is read: who is asking, may they, did our own page ask, how often. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { authorize, type Actor } from '../actor.ts'
import { sameSecret } from '../crypto/random.ts'
import { Forbidden, TooMany, Unauthenticated, UnsupportedMedia } from '../errors.ts'
import { parseRate, type Rate } from '../limits/limits.ts'
import { networkOf } from '../limits/network.ts'
import type { AnyRoute, Identity } from './route.ts'
import type { ServerOptions } from './serve.ts'

/** What is known of a request once it is let in. */
export interface Entrance {
  actor: Actor
  identity: Identity
}

declare module 'fastify' {
  interface FastifyRequest {
    entrance: Entrance | null
  }
}

const changes = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])
const nobody: Identity = { actor: null }

/** Answers 401 before 403, so that nobody learns unasked what a role may do, and both before any word on the input. */
export async function enter(
  route: AnyRoute,
  request: FastifyRequest,
  reply: FastifyReply,
  options: ServerOptions,
): Promise<void> {
  const identity = await identify(route, request, reply, options)
  const actor = admit(route, identity, options)
  if (!route.options.unmetered) await limitRate(route, request, reply, identity.actor, options)
  const takesForms = route.multipart || route.options.page
  if (!takesForms && request.headers['content-type']?.toLowerCase().startsWith('multipart/')) {
    throw new UnsupportedMedia('unsupported_media_type', 'Send JSON, with Content-Type: application/json.')
  }
  request.entrance = { actor, identity }
}

/**
 * At a public door a credential is welcome but never needed: one that is wrong, or a cookie that our own page does not
 * vouch for, counts as none, so that a stale cookie keeps nobody from signing in.
 */
async function identify(
  route: AnyRoute,
  request: FastifyRequest,
  reply: FastifyReply,
  options: ServerOptions,
): Promise<Identity> {
  if (route.options.page) return nobody
  const isPublic = route.options.may === 'public'
  let identity: Identity
  try {
    identity = await options.authenticate(request)
  } catch (error) {
    if (!(error instanceof Unauthenticated)) throw error
    if (isPublic) return nobody
    await limitRate(route, request, reply, null, options)
    throw error
  }
  if (!identity.session || !changes.has(request.method)) return identity
  if (isFromOwnPage(request, identity.session.csrfToken, options.runtime.publicUrl)) return identity
  if (isPublic) return nobody
  throw new Forbidden('csrf', 'This change did not come from a page of Rapport (X-CSRF-Token is missing or wrong).')
}

function admit(route: AnyRoute, identity: Identity, { runtime }: ServerOptions): Actor {
  const { may } = route.options
  if (identity.actor) {
    if (may !== 'public' && may !== 'signed in') authorize(runtime.permissions, identity.actor, may)
    return identity.actor
  }
  if (may !== 'public') throw new Unauthenticated('unauthenticated', 'Sign in, or send an API key or token.')
  return publicActor('')
}

export function publicActor(workspaceId: string): Actor {
  return { kind: 'public', id: null, workspaceId, role: 'customer', scopes: [], email: null, name: 'public' }
}

/** A browser sends the cookie along with any site's request: the page must prove that it is ours. */
function isFromOwnPage(request: FastifyRequest, csrfToken: string, publicUrl: string): boolean {
  const { origin, host } = request.headers
  const isOwnOrigin = !origin || origin === publicUrl || (host !== undefined && URL.parse(origin)?.host === host)
  const given = request.headers['x-csrf-token']
  return (
    isOwnOrigin &&
    request.headers['sec-fetch-site'] !== 'cross-site' &&
    typeof given === 'string' &&
    sameSecret(given, csrfToken)
  )
}

/** Every limit is counted; the headers tell of the one that is nearest to its end. */
async function limitRate(
  route: AnyRoute,
  request: FastifyRequest,
  reply: FastifyReply,
  actor: Actor | null,
  { runtime }: ServerOptions,
): Promise<void> {
  const who = actor?.id ? `${actor.workspaceId}:${actor.id}` : `ip:${networkOf(request.ip)}`
  const general = { limit: runtime.config.limits.requestsPerMinute, windowMs: 60_000 }
  const own = ownRate(route, runtime)
  const limits = [
    { name: 'default', key: `http:${who}`, rate: general },
    ...(own ? [{ name: 'route', key: `${request.method}:${route.options.path}:${who}`, rate: own }] : []),
  ]
  const taken = await Promise.all(
    limits.map(async ({ name, key, rate }) => ({ name, rate, ...(await runtime.limits.take(key, rate)) })),
  )
  const [nearest] = taken.toSorted((a, b) => Number(a.allowed) - Number(b.allowed) || a.remaining - b.remaining)
  if (!nearest) return
  const seconds = Math.ceil(nearest.resetMs / 1_000)
  const policies = limits.map(({ name, rate }) => `"${name}";q=${rate.limit};w=${Math.ceil(rate.windowMs / 1_000)}`)
  void reply.header('ratelimit-policy', policies.join(', '))
  void reply.header('ratelimit', `"${nearest.name}";r=${nearest.remaining};t=${seconds}`)
  if (nearest.allowed) return
  throw new TooMany('too_many_requests', `Too many requests; go on in ${seconds} s.`, { retryAfterSeconds: seconds })
}

function ownRate(route: AnyRoute, runtime: ServerOptions['runtime']): Rate | null {
  const asked = typeof route.options.rate === 'function' ? route.options.rate(runtime) : route.options.rate
  if (!asked) return null
  const rate = parseRate(asked)
  if (!rate) throw new Error(`not a rate: ${asked}`)
  return rate
}

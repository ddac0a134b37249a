/** What happens between a matched door and its reply. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { authorize, type Actor } from '../actor.ts'
import { sameSecret } from '../crypto/random.ts'
import type { Scope, Tx } from '../db/db.ts'
import { Forbidden, TooMany, Unauthenticated, Unreadable } from '../errors.ts'
import { parseRate } from '../limits/limits.ts'
import { answerOnce, StoredReply } from './idempotency.ts'
import { Reply, type AnyRoute, type Identity } from './route.ts'
import type { ServerOptions } from './serve.ts'

const changes = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])

/** Who came in, found out before anything of the body is read. */
interface Entry {
  identity: Identity
  actor: Actor
}

const entries = new WeakMap<FastifyRequest, Entry>()

/** Before the body is read: nobody who may not come in can make us parse, or learn what a door wants. */
export async function enter(
  route: AnyRoute,
  request: FastifyRequest,
  reply: FastifyReply,
  options: ServerOptions,
): Promise<void> {
  const identity = route.options.page ? { actor: null } : await options.authenticate(request)
  const actor = admit(route, identity, options)
  if (identity.session && changes.has(request.method)) {
    requireOwnPage(request, identity.session.csrfToken, options.runtime.publicUrl)
  }
  if (!route.options.unmetered) await limitRate(route, request, reply, identity.actor, options)
  entries.set(request, { identity, actor })
}

export async function handle(
  route: AnyRoute,
  request: FastifyRequest,
  reply: FastifyReply,
  options: ServerOptions,
): Promise<FastifyReply> {
  const { runtime } = options
  const entry = entries.get(request)
  if (!entry) throw new Error('a request reached its handler without having been let in')
  const { identity, actor } = entry

  const call = {
    actor,
    identity,
    params: request.params,
    query: request.query,
    body: request.body,
    services: runtime,
    queue: options.queue,
    ifVersion: readIfMatch(request),
    ip: request.ip,
    userAgent: String(request.headers['user-agent'] ?? '').slice(0, 500),
    cookies: request.cookies,
    reply: {
      header: (name: string, value: string) => void reply.header(name, value),
      status: (code: number) => void reply.code(code),
      cookie: (name: string, value: string | null, maxAgeSeconds?: number) =>
        setCookie(reply, runtime.publicUrl, name, value, maxAgeSeconds),
    },
  }
  const scope: Scope = route.scope?.(call) ?? identity.actor?.workspaceId ?? 'system'
  if (scope !== 'system' && !identity.actor) call.actor = { ...actor, workspaceId: scope }

  if (route.kind === 'stream') {
    const inTx = <T>(run: (tx: Tx) => Promise<T>): Promise<T> => runtime.db.transaction(scope, run)
    const result = await route.stream!({ ...call, inTx, runtime, request, raw: reply })
    return result === reply ? reply : send(reply, route, result)
  }

  const key = request.method === 'POST' && scope !== 'system' ? request.headers['idempotency-key'] : undefined
  const outcome = await runtime.db.transaction(scope, async (tx) => {
    const run = () => route.run!({ ...call, tx })
    if (typeof key !== 'string') return run()
    const identified = {
      route: `${request.method} ${request.url.split('?')[0]} ${actor.id ?? ''}`,
      key,
      body: request.body,
    }
    return answerOnce(tx, identified, async () => toStored(reply, route, await run()))
  })
  if (outcome instanceof StoredReply) return sendStored(reply, outcome)
  return send(reply, route, outcome)
}

/** The actor, or for a public door the public; 401 before 403, so that nobody learns what a role may do unasked. */
function admit(route: AnyRoute, identity: Identity, { runtime }: ServerOptions): Actor {
  const { may } = route.options
  if (identity.actor) {
    if (may !== 'public' && may !== 'signed in') authorize(runtime.permissions, identity.actor, may)
    return identity.actor
  }
  if (may !== 'public') throw new Unauthenticated('unauthenticated', 'Sign in, or send an API key or token.')
  return { kind: 'public', id: null, workspaceId: '', role: 'customer', scopes: [], email: null, name: 'public' }
}

/** A browser sends the cookie along with any site's request: the page must prove that it is ours. */
function requireOwnPage(request: FastifyRequest, csrfToken: string, publicUrl: string): void {
  const { origin } = request.headers
  const site = request.headers['sec-fetch-site']
  const own = !origin || origin === publicUrl || URL.parse(origin)?.host === request.headers.host
  const proof = request.headers['x-csrf-token']
  if (own && site !== 'cross-site' && typeof proof === 'string' && sameSecret(proof, csrfToken)) return
  throw new Forbidden('csrf', 'This change did not come from a page of Rapport (X-CSRF-Token is missing or wrong).')
}

async function limitRate(
  route: AnyRoute,
  request: FastifyRequest,
  reply: FastifyReply,
  actor: Actor | null,
  { runtime }: ServerOptions,
): Promise<void> {
  const who = actor?.id ? `${actor.workspaceId}:${actor.id}` : `ip:${request.ip}`
  const perMinute = runtime.config.limits.requestsPerMinute
  const general = { key: `http:${who}`, rate: { limit: perMinute, windowMs: 60_000 } }
  const asked = typeof route.options.rate === 'function' ? route.options.rate(runtime) : route.options.rate
  const rate = asked ? parseRate(asked) : null
  if (asked && !rate) throw new Error(`not a rate: ${asked}`)
  const own = rate ? [{ key: `${request.method}:${route.options.path}:${who}`, rate }] : []
  for (const { key, rate } of [...own, general]) {
    const taken = await runtime.limits.take(key, rate)
    const seconds = Math.ceil(taken.resetMs / 1_000)
    void reply.header('ratelimit-policy', `"default";q=${rate.limit};w=${rate.windowMs / 1_000}`)
    void reply.header('ratelimit', `"default";r=${taken.remaining};t=${seconds}`)
    if (!taken.allowed) {
      throw new TooMany('too_many_requests', `Too many requests; go on in ${seconds} s.`, {
        retryAfterSeconds: seconds,
      })
    }
  }
}

function readIfMatch(request: FastifyRequest): number | undefined {
  const header = request.headers['if-match']
  if (header === undefined || header === '*') return undefined
  const version = /^"v(\d{1,9})"$/.exec(header)?.[1]
  if (!version) throw new Unreadable('bad_if_match', 'If-Match takes the ETag of the record, such as "v3".')
  return Number(version)
}

/** `__Host-` cookies bind to this very host; browsers take them over http for localhost alone. */
function setCookie(
  reply: FastifyReply,
  publicUrl: string,
  name: string,
  value: string | null,
  maxAgeSeconds?: number,
): void {
  const url = new URL(publicUrl)
  const secure = url.protocol === 'https:' || ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
  void reply.setCookie(cookieName(name, publicUrl), value ?? '', {
    path: '/',
    httpOnly: true,
    sameSite: 'lax',
    secure,
    ...(value === null ? { maxAge: 0 } : maxAgeSeconds === undefined ? {} : { maxAge: maxAgeSeconds }),
  })
}

export function cookieName(name: string, publicUrl: string): string {
  const url = new URL(publicUrl)
  const local = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
  return url.protocol === 'https:' || local ? `__Host-${name}` : name
}

function successStatus(route: AnyRoute): number {
  return (
    Object.keys(route.options.replies)
      .map(Number)
      .find((status) => status < 300) ?? 200
  )
}

function send(reply: FastifyReply, route: AnyRoute, result: unknown): FastifyReply {
  if (result instanceof Reply) {
    for (const [name, value] of Object.entries(result.headers)) void reply.header(name, value)
    return reply.code(result.status).send(result.body)
  }
  noStore(reply)
  const status = successStatus(route)
  return status === 204 ? reply.code(204).send() : reply.code(status).send(result)
}

/** What a signed-in person sees is not for a shared cache. */
function noStore(reply: FastifyReply): void {
  if (!reply.hasHeader('cache-control')) void reply.header('cache-control', 'no-store')
}

function toStored(reply: FastifyReply, route: AnyRoute, result: unknown): StoredReply {
  const status = result instanceof Reply ? result.status : successStatus(route)
  const headers = result instanceof Reply ? result.headers : {}
  const body = result instanceof Reply ? result.body : result
  const serialize = reply.getSerializationFunction(String(status)) ?? JSON.stringify
  const text = body === undefined || body === null ? '' : String(serialize(body as Record<string, unknown>))
  return new StoredReply(status, headers, text)
}

function sendStored(reply: FastifyReply, stored: StoredReply): FastifyReply {
  noStore(reply)
  for (const [name, value] of Object.entries(stored.headers)) void reply.header(name, value)
  if (stored.status === 204) return reply.code(204).send()
  void reply.header('content-type', 'application/json; charset=utf-8').serializer((body: unknown) => String(body))
  return reply.code(stored.status).send(stored.body)
}

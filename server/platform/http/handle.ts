/** What happens between an open door and its reply: scope, one transaction, the first answer kept for retries. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Scope, Tx } from '../db/db.ts'
import { Unreadable } from '../errors.ts'
import { publicActor } from './enter.ts'
import { answerOnce, StoredReply } from './idempotency.ts'
import { Reply, type AnyRoute } from './route.ts'
import type { ServerOptions } from './serve.ts'

export async function handle(
  route: AnyRoute,
  request: FastifyRequest,
  reply: FastifyReply,
  options: ServerOptions,
): Promise<FastifyReply> {
  const { runtime } = options
  if (!request.entrance) throw new Error('nobody was let in')
  const { actor, identity } = request.entrance
  const ownHeaders: Record<string, string> = {}
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
      header: (name: string, value: string) => {
        ownHeaders[name.toLowerCase()] = value
        void reply.header(name, value)
      },
      cookie: (name: string, value: string | null, maxAgeSeconds?: number) =>
        setCookie(reply, runtime.publicUrl, name, value, maxAgeSeconds),
    },
  }
  const scope: Scope = route.scope?.(call) ?? identity.actor?.workspaceId ?? 'system'
  // Where a signed link names the workspace, nobody brings along what they may do in another.
  if (scope !== 'system' && actor.workspaceId !== scope) call.actor = publicActor(scope)

  if (route.kind === 'stream') {
    const inTx = <T>(run: (tx: Tx) => Promise<T>): Promise<T> => runtime.db.transaction(scope, run)
    const stillWelcome = (): Promise<boolean> => isStillWelcome(request, options)
    const result = await route.stream!({ ...call, inTx, stillWelcome, runtime, request, raw: reply })
    // Awaiting a reply, which is thenable, waits for its end and gives undefined: what is sent needs no second answer.
    return result === reply || reply.raw.headersSent ? reply : send(reply, route, result)
  }

  const key = request.method === 'POST' && scope !== 'system' ? request.headers['idempotency-key'] : undefined
  const outcome = await runtime.db.transaction(scope, async (tx) => {
    const run = () => route.run!({ ...call, tx })
    if (typeof key !== 'string') return run()
    const [address = '', search = ''] = request.url.split('?')
    const identified = {
      route: `${request.method} ${address.replace(/\/$/, '')} ${actor.id ?? ''}`,
      key,
      input: [search, request.body ?? null],
    }
    return answerOnce(tx, runtime.seal, identified, async () => toStored(reply, route, await run(), ownHeaders))
  })
  if (outcome instanceof StoredReply) return sendStored(reply, outcome)
  return send(reply, route, outcome)
}

/** For what stays open: whether the credential that opened it would open it now. */
async function isStillWelcome(request: FastifyRequest, options: ServerOptions): Promise<boolean> {
  const identity = await options.authenticate(request).catch(() => null)
  return identity?.actor?.workspaceId === request.entrance?.actor.workspaceId
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
    void reply.headers(result.headers)
    noStore(reply)
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

function toStored(
  reply: FastifyReply,
  route: AnyRoute,
  result: unknown,
  ownHeaders: Record<string, string>,
): StoredReply {
  const status = result instanceof Reply ? result.status : successStatus(route)
  const headers = { ...ownHeaders, ...(result instanceof Reply ? result.headers : {}) }
  const body = result instanceof Reply ? result.body : result
  if (typeof body === 'string')
    return new StoredReply(status, { 'content-type': 'text/plain; charset=utf-8', ...headers }, body)
  const serialize = reply.getSerializationFunction(String(status)) ?? JSON.stringify
  const text = body === undefined || body === null ? '' : String(serialize(body as Record<string, unknown>))
  return new StoredReply(status, headers, text)
}

function sendStored(reply: FastifyReply, stored: StoredReply): FastifyReply {
  noStore(reply)
  const type = { 'content-type': 'application/json; charset=utf-8' }
  if (stored.status === 204) return reply.headers(stored.headers).code(204).send()
  void reply.headers({ ...type, ...stored.headers }).serializer((body: unknown) => String(body))
  return reply.code(stored.status).send(stored.body)
}

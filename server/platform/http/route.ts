/**
 * A door: method, path, permission and shapes stand together, and the handler's types follow from them. One schema
 * validates, serialises, types and documents (OpenAPI 3.1).
 */
import type { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Static, TSchema } from 'typebox'
import type { PgBoss } from 'pg-boss'
import type { Actor } from '../actor.ts'
import type { Tx } from '../db/db.ts'
import type { Runtime, Services } from '../services.ts'

/**
 * Who may come in: a permission that a module declares, `'signed in'` (any role, for what is one's own), or
 * `'public'`.
 */
export type MayEnter = 'public' | 'signed in' | (string & {})

type Replies = Record<number, TSchema>
type Success<R extends Replies> = {
  [Status in keyof R]: Status extends 200 | 201 | 202 ? Static<R[Status]> : Status extends 204 ? void : never
}[keyof R]

interface Shapes<P extends TSchema, Q extends TSchema, B extends TSchema, R extends Replies> {
  params?: P
  query?: Q
  body?: B
  /** The door's own replies; 400, 401, 403, 422, 429, 500 are common to all and need no mention. */
  replies: R
}

export interface Call<P extends TSchema, Q extends TSchema, B extends TSchema> {
  actor: Actor
  params: Static<P>
  query: Static<Q>
  body: Static<B>
  services: Services
  /** The version that `If-Match` named. */
  ifVersion: number | undefined
  /** Of the client, told through trusted proxies only. */
  ip: string
  userAgent: string
  /** Sets a header or cookie of the reply. */
  reply: { header(name: string, value: string): void; cookie: CookieSetter }
  cookies: Record<string, string | undefined>
  queue: PgBoss
  /** What the authentication knows beyond the actor (the session's id, its CSRF token). */
  identity: Identity
}

export type CookieSetter = (name: string, value: string | null, maxAgeSeconds?: number) => void

/** What authentication answers: who, and by which means. */
export interface Identity {
  actor: Actor | null
  /** Set for a browser session: changes then need the CSRF token. */
  session?: { id: string; userId: string; csrfToken: string }
}

export interface RouteOptions<
  P extends TSchema,
  Q extends TSchema,
  B extends TSchema,
  R extends Replies,
> extends Shapes<P, Q, B, R> {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Under /api/v1 unless `root`; parameters are written `:name`. */
  path: string
  /** At the root of the address space instead of under /api/v1 (`/health`, short links in mails). */
  root?: boolean
  may: MayEnter
  /** One line for the reference page. */
  summary: string
  /** More for the reference page: rules, units, limits. */
  description?: string
  /**
   * A page for people without an account: takes forms (urlencoded or multipart) and looks at no cookie or key, because
   * the token in its address alone decides. `body` then holds the form's fields as text.
   */
  page?: boolean
  /**
   * Which workspace a public door works in: read from a signed token, never from what a client merely says.
   * Without it, a public door works in system scope, where no tenant's row is visible.
   */
  scope?: (call: { params: Static<P>; query: Static<Q>; body: Static<B>; services: Services }) => string | null
  /** Calls allowed, such as `5/minute`, per address (`public`) or per actor, besides the general limit. */
  rate?: string | ((services: Services) => string)
  /**
   * Outside of all limits: for pictures and links of mails, which the proxies of large mailbox providers fetch for
   * thousands of people from a few addresses. Such a door must do next to nothing for a token that is not ours.
   */
  unmetered?: boolean
  run(call: Call<P, Q, B> & { tx: Tx }): Promise<Success<R> | Reply<Success<R>>>
}

/** For streams, uploads and pages: no transaction is open; `inTx` opens short ones in the actor's workspace. */
export interface StreamOptions<P extends TSchema, Q extends TSchema, B extends TSchema, R extends Replies> extends Omit<
  RouteOptions<P, Q, B, R>,
  'run'
> {
  /** `multipart/form-data` comes in; `request.parts()` reads it. */
  multipart?: boolean
  stream(
    call: Call<P, Q, B> & {
      inTx: <T>(run: (tx: Tx) => Promise<T>) => Promise<T>
      /** Asks again whether the credential is good: what stays open must end with the session that opened it. */
      stillWelcome: () => Promise<boolean>
      runtime: Runtime
      request: FastifyRequest
      raw: FastifyReply
    },
  ): Promise<Success<R> | Reply<Success<R>> | FastifyReply>
}

/** A reply with more than a body. */
export class Reply<Body = unknown> {
  readonly status: number
  readonly body: Body | string | Buffer | Readable
  readonly headers: Record<string, string>
  constructor(status: number, body: Body | string | Buffer | Readable, headers: Record<string, string> = {}) {
    this.status = status
    this.body = body
    this.headers = headers
  }
}

/** 200 with the version as ETag: every single record goes out so. */
export function record<Body>(body: Body, version: number): Reply<Body> {
  return new Reply(200, body, { etag: `"v${version}"` })
}

/** 201 with Location (under /api/v1) and, for a versioned record, its ETag. */
export function created<Body>(body: Body, location: string, version?: number): Reply<Body> {
  return new Reply(201, body, {
    location: `/api/v1${location}`,
    ...(version === undefined ? {} : { etag: `"v${version}"` }),
  })
}

export function accepted<Body>(body: Body, location: string): Reply<Body> {
  return new Reply(202, body, { location: `/api/v1${location}` })
}

// Erased to one type where routes are listed; `route` keeps each one's own types for its handler.
export type AnyRoute = {
  kind: 'plain' | 'stream'
  multipart: boolean
  options: Omit<RouteOptions<TSchema, TSchema, TSchema, Replies>, 'run' | 'scope'>
  scope?: (call: object) => string | null
  run?: (call: object) => Promise<unknown>
  stream?: (call: object) => Promise<unknown>
}

export function route<
  R extends Replies,
  P extends TSchema = TSchema,
  Q extends TSchema = TSchema,
  B extends TSchema = TSchema,
>(options: RouteOptions<P, Q, B, R>): AnyRoute {
  return { kind: 'plain', multipart: false, options, ...erased(options), run: options.run as AnyRoute['run'] & object }
}

export function streamRoute<
  R extends Replies,
  P extends TSchema = TSchema,
  Q extends TSchema = TSchema,
  B extends TSchema = TSchema,
>(options: StreamOptions<P, Q, B, R>): AnyRoute {
  return {
    kind: 'stream',
    multipart: options.multipart ?? false,
    options,
    ...erased(options),
    stream: options.stream as AnyRoute['stream'] & object,
  }
}

function erased(options: { scope?: unknown }): { scope?: (call: object) => string | null } {
  return options.scope ? { scope: options.scope as (call: object) => string | null } : {}
}

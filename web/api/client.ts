// The one door to the server. It speaks JSON, turns problem documents into ApiProblem, sends the CSRF token with every
// change, and repeats a lost POST once under the same idempotency key, so that a flaky network never creates twice.
import type { Kept } from './types.ts'

const root = '/api/v1'
let csrfToken = ''
let whenSignedOut = () => {}

/** Remembers the token that the session carries; it changes with every sign-in. */
export function keepCsrfToken(token: string): void {
  csrfToken = token
}

/** Says what happens when the server no longer knows the session: the sign-in page, keeping the place. */
export function onSignedOut(listener: () => void): void {
  whenSignedOut = listener
}

export type FieldError = { pointer: string; code: string; detail: string }

/** A refusal by the server, in the words of RFC 9457, or by the network (`status` 0). */
export class ApiProblem extends Error {
  readonly status: number
  readonly code: string
  readonly detail: string
  readonly errors: FieldError[]
  readonly retryAfter: number | null

  constructor(status: number, document: Partial<ApiProblem> & { title?: string }, retryAfter: number | null = null) {
    super(document.detail ?? document.title ?? `HTTP ${status}`)
    this.status = status
    this.code = document.code ?? (status === 0 ? 'network' : `http_${status}`)
    this.detail = document.detail ?? document.title ?? ''
    this.errors = document.errors ?? []
    this.retryAfter = retryAfter
  }
}

export type Query = Record<string, string | number | boolean | undefined | null>
type Options = { query?: Query; body?: unknown; etag?: string; signal?: AbortSignal; quiet?: boolean }

export const get = <T>(path: string, options: Options = {}) => send<T>('GET', path, options)
export const post = <T>(path: string, body?: unknown, options: Options = {}) =>
  send<T>('POST', path, { ...options, body })
export const put = <T>(path: string, body: unknown, options: Options = {}) => send<T>('PUT', path, { ...options, body })
export const patch = <T>(path: string, body: unknown, options: Options = {}) =>
  send<T>('PATCH', path, { ...options, body })
export const remove = <T>(path: string, options: Options = {}) => send<T>('DELETE', path, options)

/** The address of something that the browser downloads by itself. */
export const downloadUrl = (path: string) => (path.startsWith('/api') ? path : root + path)

async function send<T>(method: string, path: string, options: Options): Promise<Kept<T>> {
  const headers = headersFor(method, options)
  const body = options.body instanceof FormData ? options.body : JSON.stringify(options.body)
  const init: RequestInit = { method, headers, credentials: 'same-origin' }
  if (options.body !== undefined) init.body = body
  if (options.signal) init.signal = options.signal
  const reply = await fetchTwice(root + path + queryString(options.query), init, method === 'POST')
  if (!reply.ok) throw await readProblem(reply, options.quiet === true)
  return readBody<T>(reply)
}

function headersFor(method: string, options: Options): Headers {
  const headers = new Headers({ accept: 'application/json' })
  if (options.body !== undefined && !(options.body instanceof FormData)) headers.set('content-type', 'application/json')
  if (method !== 'GET') headers.set('x-csrf-token', csrfToken)
  if (method === 'POST') headers.set('idempotency-key', randomKey())
  if (options.etag) headers.set('if-match', options.etag)
  return headers
}

/** `crypto.randomUUID` is missing on plain http away from localhost, so the key is made of random bytes. */
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function queryString(query: Query = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== '')
  return given.length === 0
    ? ''
    : `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString()}`
}

async function fetchTwice(url: string, init: RequestInit, repeat: boolean): Promise<Response> {
  try {
    return await fetch(url, init)
  } catch (error) {
    if (init.signal?.aborted) throw error
    if (repeat) return fetchTwice(url, init, false)
    throw new ApiProblem(0, {})
  }
}

async function readProblem(reply: Response, quiet: boolean): Promise<ApiProblem> {
  const document = (await reply.json().catch(() => ({}))) as Partial<ApiProblem>
  const retryAfter = Number(reply.headers.get('retry-after')) || null
  const problem = new ApiProblem(reply.status, document, retryAfter)
  if (reply.status === 401 && !quiet) whenSignedOut()
  return problem
}

async function readBody<T>(reply: Response): Promise<Kept<T>> {
  if (reply.status === 204 || !reply.headers.get('content-type')?.includes('json'))
    return undefined as unknown as Kept<T>
  const data = (await reply.json()) as Kept<T>
  const etag = reply.headers.get('etag')
  return etag && typeof data === 'object' && data !== null ? { ...data, etag } : data
}

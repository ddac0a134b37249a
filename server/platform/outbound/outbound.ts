// The one way out for HTTP. Every bound is here: whom it may reach, how long, how much, how often. Redirects are never
// followed (a 3xx is an answer), and what went wrong is a value, because callers store it and choose on it.
import { setTimeout as pause } from 'node:timers/promises'
import { Agent, buildConnector, request as send } from 'undici'
import { AddressRefused, createAddressGuard, type AddressGuardOptions } from './addresses.ts'
import { createBreakers, type BreakerOptions } from './breaker.ts'

export type OutboundRequest = {
  url: string
  method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  headers?: Record<string, string>
  body?: string | Uint8Array
  /** For one attempt, from the first byte of the lookup to the last of the reply. */
  timeoutMs?: number
  responseBytesMax?: number
  /** Default 3 for methods that may be repeated, 1 for the others. */
  attempts?: number
  /** Says that repeating this POST or PATCH is safe, for example because it carries an idempotency key. */
  isRepeatable?: boolean
  signal?: AbortSignal
}

export type OutboundFailure =
  | 'refused'
  | 'dns'
  | 'connect'
  | 'tls'
  | 'timeout'
  | 'too_large'
  | 'broken'
  | 'circuit_open'
  | 'aborted'

export type OutboundResult =
  | { ok: true; status: number; headers: Record<string, string>; body: Buffer; attempts: number }
  | { ok: false; failed: OutboundFailure; reason: string; attempts: number }

/** Without path, query, headers and body: webhook paths and queries carry secrets. */
export type OutboundLine = {
  method: string
  origin: string
  ms: number
  attempts: number
  status?: number
  failed?: OutboundFailure
}

export type Outbound = {
  request(request: OutboundRequest): Promise<OutboundResult>
  /**
   * What speaks against a URL that somebody wants to save (a webhook, a feed), or null. A name that is not known now is
   * let through: it is judged again at each connection.
   */
  check(url: string): Promise<string | null>
  close(): Promise<void>
}

export type OutboundOptions = AddressGuardOptions & {
  userAgent?: string
  connectTimeoutMs?: number
  retryBaseMs?: number
  retryMaxMs?: number
  breaker?: BreakerOptions
  log?: (line: OutboundLine) => void
  /** Origins that the operator's own configuration names, such as the auth service inside a cluster: no guard for these alone. */
  trustedOrigins?: readonly string[]
  /** For servers with a certificate of one's own authority. */
  certificateAuthority?: string
}

const REPEATABLE = new Set(['GET', 'HEAD', 'PUT', 'DELETE'])
const RETRIED_STATUSES = new Set([429, 502, 503, 504])
const RETRIED_FAILURES = new Set<OutboundFailure>(['dns', 'connect', 'timeout', 'broken'])

type Attempt =
  | Omit<Extract<OutboundResult, { ok: true }>, 'attempts'>
  | Omit<Extract<OutboundResult, { ok: false }>, 'attempts'>

/** A client with its own connections; `allowLoopback` is for development and tests. */
export function createOutbound(options: OutboundOptions = {}): Outbound {
  const {
    userAgent = 'Rapport',
    connectTimeoutMs = 5000,
    retryBaseMs = 200,
    retryMaxMs = 5000,
    log,
    allowLoopback = false,
    trustedOrigins = [],
  } = options
  const trusted = new Set(trustedOrigins)
  const guard = createAddressGuard(options)
  const breakers = createBreakers(options.breaker)
  const connector = buildConnector({
    lookup: guard.lookup,
    timeout: connectTimeoutMs,
    allowH2: false,
    ...(options.certificateAuthority ? { ca: options.certificateAuthority } : {}),
  })
  const agent = new Agent({
    connections: 32,
    pipelining: 1,
    keepAliveTimeout: 10_000,
    maxHeaderSize: 32 * 1024,
    connect: (target, callback) => {
      const reason = guard.checkHost(target.hostname)
      if (reason) callback(new AddressRefused(reason), null)
      else connector(target, callback)
    },
  })

  const insideAgent = new Agent({
    connections: 8,
    pipelining: 1,
    keepAliveTimeout: 10_000,
    maxHeaderSize: 32 * 1024,
    connect: { timeout: connectTimeoutMs },
  })

  async function attemptOnce(url: URL, given: OutboundRequest): Promise<Attempt> {
    const { method = 'GET', timeoutMs = 15_000, responseBytesMax = 1024 * 1024, signal } = given
    const deadline = AbortSignal.timeout(timeoutMs)
    try {
      const reply = await send(url, {
        method,
        body: given.body ?? null,
        headers: { 'user-agent': userAgent, ...given.headers },
        dispatcher: trusted.has(url.origin) ? insideAgent : agent,
        signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
      })
      const chunks: Buffer[] = []
      let bytes = 0
      for await (const chunk of reply.body as AsyncIterable<Buffer>) {
        bytes += chunk.length
        // Leaving the loop destroys the connection: the rest is not read.
        if (bytes > responseBytesMax)
          return { ok: false, failed: 'too_large', reason: `more than ${responseBytesMax} bytes` }
        chunks.push(chunk)
      }
      return { ok: true, status: reply.statusCode, headers: flatten(reply.headers), body: Buffer.concat(chunks) }
    } catch (error) {
      if (signal?.aborted) return { ok: false, failed: 'aborted', reason: 'the caller gave up' }
      if (deadline.aborted) return { ok: false, failed: 'timeout', reason: `no full answer within ${timeoutMs} ms` }
      return { ok: false, ...explain(error) }
    }
  }

  async function attemptSeveral(url: URL, given: OutboundRequest): Promise<OutboundResult> {
    const isRepeatable = given.isRepeatable ?? REPEATABLE.has(given.method ?? 'GET')
    const attemptsMax = isRepeatable ? (given.attempts ?? 3) : 1
    for (let attempts = 1; ; attempts++) {
      if (!breakers.admits(url.origin)) {
        return { ok: false, failed: 'circuit_open', reason: 'it failed several times just now', attempts: attempts - 1 }
      }
      const result = await attemptOnce(url, given)
      if (result.ok) breakers.report(url.origin, result.status < 500)
      // Being refused or given up by us says nothing about the other side.
      else if (RETRIED_FAILURES.has(result.failed)) breakers.report(url.origin, false)
      const shouldRetry = result.ok ? RETRIED_STATUSES.has(result.status) : RETRIED_FAILURES.has(result.failed)
      const delayMs = backoff(attempts, result)
      if (!shouldRetry || attempts >= attemptsMax || delayMs > retryMaxMs) return { ...result, attempts }
      try {
        await pause(delayMs, undefined, { signal: given.signal })
      } catch {
        return { ok: false, failed: 'aborted', reason: 'the caller gave up', attempts }
      }
    }
  }

  /** Doubling with full jitter, or what the server asks for; callers give up when that is too long. */
  function backoff(attempt: number, result: Attempt): number {
    const asked = result.ok ? Number(result.headers['retry-after']) * 1000 : Number.NaN
    if (Number.isFinite(asked) && asked > 0) return asked
    return Math.random() * Math.min(retryBaseMs * 2 ** (attempt - 1), retryMaxMs)
  }

  return {
    async request(given) {
      const url = URL.parse(given.url)
      const isTrusted = url !== null && trusted.has(url.origin)
      const reason = !url ? 'not a URL' : isTrusted ? null : refuseUrl(url, allowLoopback)
      const begun = performance.now()
      const result: OutboundResult =
        url && !reason
          ? await attemptSeveral(url, given)
          : { ok: false, failed: 'refused', reason: reason ?? 'not a URL', attempts: 0 }
      log?.({
        method: given.method ?? 'GET',
        origin: url ? `${url.protocol}//${url.host}` : 'not a URL',
        ms: Math.round(performance.now() - begun),
        attempts: result.attempts,
        ...(result.ok ? { status: result.status } : { failed: result.failed }),
      })
      return result
    },
    async check(text) {
      const url = URL.parse(text)
      if (!url) return 'not a URL'
      const reason = refuseUrl(url, allowLoopback) ?? guard.checkHost(url.hostname)
      if (reason || url.hostname.startsWith('[')) return reason
      const error = await new Promise((settle) => guard.lookup(url.hostname, { all: true }, settle))
      return error instanceof AddressRefused ? error.message : null
    },
    close: async () => void (await Promise.all([agent.destroy(), insideAgent.destroy()])),
  }
}

/** The rules that need no lookup: scheme, credentials, port. Addresses are judged when the connection is made. */
export function refuseUrl(url: URL, allowLoopback: boolean): string | null {
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'only http and https are allowed'
  if (url.username !== '' || url.password !== '') return 'user names and passwords in addresses are not allowed'
  const isLoopbackHost = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(url.hostname)
  if (url.port !== '' && !['80', '443'].includes(url.port) && !(allowLoopback && isLoopbackHost)) {
    return 'only the ports 80 and 443 are allowed'
  }
  return null
}

function flatten(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]),
  )
}

function explain(error: unknown): { failed: OutboundFailure; reason: string } {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (error instanceof AddressRefused) return { failed: 'refused', reason: error.message }
  if (code === 'ENOTFOUND' || code.startsWith('EAI_')) return { failed: 'dns', reason: 'the name is not known' }
  if (code.includes('TIMEOUT') || code === 'ETIMEDOUT') return { failed: 'timeout', reason: 'connecting took too long' }
  if (/^E(CONN(REFUSED|ABORTED)|HOSTUNREACH|NETUNREACH)$/.test(code)) return { failed: 'connect', reason: code }
  if (/CERT|TLS|SSL|ERR_SSL|SELF_SIGNED|UNABLE_TO/.test(code)) return { failed: 'tls', reason: code }
  return { failed: 'broken', reason: code || 'the connection broke' }
}

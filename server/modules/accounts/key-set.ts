/** The public keys of the auth service: fetched through the guarded client, kept, and asked for again when a new one appears. */
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'
import type { Services } from '#platform/services.ts'

const freshMs = 10 * 60_000
/** Whoever sends made-up key ids cannot make us ask more often than this. */
const pauseMs = 30_000

export function createKeySet(
  services: Services,
  authServiceUrl: string,
  now: () => number = Date.now,
): JWTVerifyGetKey {
  const url = `${authServiceUrl.replace(/\/+$/, '')}/.well-known/jwks.json`
  let keys: JWTVerifyGetKey | undefined
  let fetchedAt = -Infinity
  let askedAt = -Infinity
  let asking: Promise<void> | undefined

  async function ask(): Promise<void> {
    askedAt = now()
    const result = await services.outbound.request({ url, timeoutMs: 5_000, responseBytesMax: 256 * 1024 })
    if (!result.ok || result.status !== 200) {
      services.log.warn({ why: result.ok ? result.status : result.failed }, 'the auth service did not give its keys')
      return
    }
    const read = readKeys(result.body)
    if (!read) return services.log.warn('the auth service gave something else than a key set')
    keys = createLocalJWKSet(read)
    fetchedAt = now()
  }

  /** While the service does not answer, the keys that it gave before go on being good. */
  async function refresh(): Promise<void> {
    if (now() - askedAt < pauseMs && !asking) return
    asking ??= ask().finally(() => (asking = undefined))
    await asking
  }

  return async (header, token) => {
    if (now() - fetchedAt > freshMs) await refresh()
    if (!keys) throw new errors.JWKSNoMatchingKey()
    try {
      return await keys(header, token)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
      await refresh()
      return keys(header, token)
    }
  }
}

/** Public keys alone: a shared secret in a published set would be everybody's. */
function readKeys(body: Buffer): JSONWebKeySet | null {
  try {
    const set = JSON.parse(body.toString('utf8')) as JSONWebKeySet
    if (!Array.isArray(set.keys)) return null
    return { keys: set.keys.filter((key) => ['RSA', 'EC', 'OKP'].includes(String(key.kty)) && key.use !== 'enc') }
  } catch {
    return null
  }
}

/**
 * Tokens of an outside auth service: HS256 by SECRET_KEY, or RS256, ES256 and EdDSA by the keys that AUTH_SERVICE_URL
 * publishes. The algorithm decides which of the two is asked, so no key is ever used for both kinds; what a token's own
 * header says of keys (jku, jwk, x5u, x5c) is not read.
 */
import { createHash } from 'node:crypto'
import { decodeProtectedHeader, jwtVerify, type JWTPayload, type JWTVerifyOptions } from 'jose'
import { roles, type Role } from '#platform/actor.ts'
import { isId } from '#platform/ids.ts'
import type { Services } from '#platform/services.ts'
import { createKeySet } from './key-set.ts'
import { rankOf } from './ranks.ts'

export interface Claims {
  userId: string
  workspaceId: string
  role: Role
  email: string | null
  name: string
}

/** Null for every token that is not good here, whatever the reason: the bearer learns nothing from it. */
export type TokenReader = (token: string) => Promise<Claims | null>

const publishedAlgorithms = ['RS256', 'ES256', 'EdDSA']
/** Tokens of other uses (`logout+jwt`, `secevent+jwt` …) are not for coming in. */
const tokenTypes = new Set(['jwt', 'at+jwt', 'application/at+jwt'])

export function createTokenReader(services: Services, secretKey: string): TokenReader {
  const { auth } = services.config
  const sharedKey = new TextEncoder().encode(secretKey)
  const keySet = auth.authServiceUrl ? createKeySet(services, auth.authServiceUrl) : null
  const common: JWTVerifyOptions = {
    requiredClaims: ['exp', 'sub'],
    clockTolerance: 10,
    ...(auth.issuer ? { issuer: auth.issuer } : {}),
    ...(auth.audience ? { audience: auth.audience } : {}),
  }

  async function verify(token: string): Promise<JWTPayload | null> {
    const { alg, typ } = decodeProtectedHeader(token)
    if (typ !== undefined && !tokenTypes.has(String(typ).toLowerCase())) return null
    if (alg === auth.algorithm) {
      return (await jwtVerify(token, sharedKey, { ...common, algorithms: [auth.algorithm] })).payload
    }
    if (!keySet || !publishedAlgorithms.includes(String(alg))) return null
    return (await jwtVerify(token, keySet, { ...common, algorithms: publishedAlgorithms })).payload
  }

  return async (token) => {
    const payload = await verify(token).catch(() => null)
    return payload ? toClaims(payload) : null
  }
}

function toClaims(payload: JWTPayload): Claims | null {
  const { sub, email } = payload
  const workspace = payload.workspace_id ?? payload.business_id ?? payload.organizer_id
  if (!sub || (typeof workspace !== 'string' && typeof workspace !== 'number')) return null
  const role = toRole(payload.role ?? payload.roles)
  if (!role || String(workspace) === '') return null
  const address = typeof email === 'string' && email.length <= 254 ? email : null
  const name = typeof payload.name === 'string' ? payload.name.slice(0, 200) : (address ?? '')
  return { userId: toId('user', sub), workspaceId: toId('workspace', String(workspace)), role, email: address, name }
}

/** The highest of the roles that we know; a token without any lets nobody in. */
function toRole(claim: unknown): Role | null {
  const named = [claim].flat().map((role) => String(role).toLowerCase())
  const known = roles.filter((role) => named.includes(role))
  return known.toSorted((one, other) => rankOf(other) - rankOf(one))[0] ?? null
}

/** Other services count their users as they like: what is no UUID becomes the same one each time (as UUIDv5 does). */
function toId(kind: string, text: string): string {
  if (isId(text)) return text.toLowerCase()
  const bytes = createHash('sha256').update(`rapport:${kind}:${text}`).digest().subarray(0, 16)
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6) // version 8: made our own way
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  const hex = bytes.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

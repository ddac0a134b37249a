/** Finds out who is asking: the bearer of a token of the outside auth service. */
import type { FastifyRequest } from 'fastify'
import { jwtVerify } from 'jose'
import { roles, type Role } from '#platform/actor.ts'
import { Unauthenticated } from '#platform/errors.ts'
import { isId } from '#platform/ids.ts'
import type { Identity } from '#platform/http/route.ts'
import type { Runtime } from '#platform/services.ts'

export function authenticator(_runtime: Runtime, secretKey: string) {
  const key = new TextEncoder().encode(secretKey)
  return async (request: FastifyRequest): Promise<Identity> => {
    const header = request.headers.authorization
    if (!header) return { actor: null }
    const token = /^Bearer (.+)$/i.exec(header)?.[1]
    const refused = new Unauthenticated('invalid_token', 'This token is not valid here, or no longer.')
    if (!token) throw refused
    const { payload } = await jwtVerify(token, key, { algorithms: ['HS256'], requiredClaims: ['exp', 'sub'] }).catch(
      () => {
        throw refused
      },
    )
    const workspaceId = String(payload.workspace_id ?? payload.business_id ?? payload.organizer_id ?? '')
    const role = roles.find((known) => known === payload.role)
    if (!isId(workspaceId) || !role || !payload.sub) throw refused
    const email = typeof payload.email === 'string' ? payload.email : null
    const actor = {
      kind: 'user' as const,
      id: payload.sub,
      workspaceId,
      role: role satisfies Role,
      scopes: null,
      email,
      name: email ?? '',
    }
    return { actor }
  }
}

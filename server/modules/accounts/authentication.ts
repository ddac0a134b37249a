/**
 * Finds out who is asking: the bearer of an API key or of a token of the outside auth service, or else the browser
 * session of a cookie. One round trip each. A bad bearer is refused; a bad cookie is nobody, so that whoever holds an
 * old one can still sign in.
 */
import type { FastifyRequest } from 'fastify'
import { Unauthenticated } from '#platform/errors.ts'
import type { Identity } from '#platform/http/route.ts'
import type { Runtime } from '#platform/services.ts'
import { cookieName } from '#platform/http/handle.ts'
import { identifyKey } from './api-keys.ts'
import { createTokenReader } from './outside-tokens.ts'
import { meetTokenBearer } from './outside-people.ts'
import { identifySession, sessionCookie } from './sessions.ts'

export function authenticator(runtime: Runtime, secretKey: string) {
  const readToken = createTokenReader(runtime, secretKey)
  const cookie = cookieName(sessionCookie, runtime.publicUrl)

  return async (request: FastifyRequest): Promise<Identity> => {
    const { authorization } = request.headers
    if (authorization !== undefined) {
      const bearer = /^Bearer +([\w.~+/-]{1,8192}=*)$/i.exec(authorization)?.[1]
      if (!bearer) throw refused()
      const actor = bearer.startsWith('rk_')
        ? await identifyKey(runtime.db, bearer)
        : await readToken(bearer).then((claims) => claims && meetTokenBearer(runtime, claims))
      if (!actor) throw refused()
      return { actor }
    }
    const token = request.cookies[cookie]
    return (token ? await identifySession(runtime.db, token) : null) ?? { actor: null }
  }
}

function refused(): Unauthenticated {
  return new Unauthenticated('invalid_token', 'This key or token is not valid here, or no longer.')
}

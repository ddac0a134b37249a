/** Refusals that no door can give: there is none at the address, none for the method, or the request is no HTTP. */
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { problemOf, sendProblem } from './problem.ts'

export interface Address {
  method: string
  pattern: RegExp
}

/** Which methods an address has, for 405: the router says only whether one method matches. Filled as doors are mounted. */
export function listAddresses(app: FastifyInstance): Address[] {
  const addresses: Address[] = []
  app.addHook('onRoute', ({ method, url }) => {
    if (url.includes('*')) return
    const source = url.replaceAll(/[.+^${}()|[\]\\]/g, '\\$&').replaceAll(/:\w+/g, '[^/]+')
    const pattern = new RegExp(`^${source.replace(/\/$/, '')}/?$`)
    for (const each of [method].flat()) addresses.push({ method: each, pattern })
  })
  return addresses
}

export function refuseAddress(addresses: Address[], request: FastifyRequest, reply: FastifyReply): void {
  const path = request.url.split('?')[0] ?? '/'
  const allowed = [...new Set(addresses.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method))]
  if (allowed.length && !allowed.includes(request.method)) {
    void reply.header('allow', allowed.join(', '))
    sendProblem(reply, problemOf(request, 405, 'method_not_allowed', `This address takes ${allowed.join(', ')}.`))
    return
  }
  sendProblem(reply, problemOf(request, 404, 'not_found', 'There is nothing at this address.'))
}

/** What is no HTTP at all (or tries to be two requests at once) is answered once, and the connection ends. */
export function refuseUnreadable(error: { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return
  const [status, code] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? [431, 'too_large']
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? [408, 'too_slow']
        : [400, 'unreadable']
  const title = STATUS_CODES[status] ?? ''
  const body = JSON.stringify({ type: 'about:blank', title, status, detail: 'The request cannot be read.', code })
  const head = `HTTP/1.1 ${status} ${title}\r\nContent-Type: application/problem+json\r\nConnection: close`
  if (socket.writable) socket.write(`${head}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
  socket.destroy()
}

/** Whoever holds the token of a ticket, and in which workspace. */
import type { FastifyRequest } from 'fastify'
import type { Tx } from '#platform/db/db.ts'
import { NotFound } from '#platform/errors.ts'
import type { Runtime } from '#platform/services.ts'
import { defaultWorkspaceId, findWorkspaceId } from '#modules/accounts/index.ts'
import { limitGuessing, limitWriting } from './limits.ts'
import { readToken, type Asked } from './tickets.ts'

export function tokenOf(request: FastifyRequest): string | null {
  const header = request.headers['x-ticket-token']
  return typeof header === 'string' && header ? header : null
}

interface Visit {
  asked: Asked
  workspace?: string
  ip: string
  writes?: boolean
}

/**
 * Runs for whoever holds the token. Others are counted by the ticket that they ask for, there or not, from wherever: 80 random
 * bits and more are not guessed, and who tries is not to cost much. The holder cannot be locked out so.
 */
export async function asHolder<T>(
  runtime: Runtime,
  { asked, workspace, ip, writes = false }: Visit,
  run: (tx: Tx) => Promise<T>,
): Promise<T> {
  try {
    const workspaceId = await workspaceOf(runtime, asked.token, workspace)
    // By the ticket of the token, and not by the one that is asked for: nobody uses up what its holder may write.
    const ticket = (asked.token && readToken(runtime, asked.token)?.ticketId) || asked.address
    if (writes) await limitWriting(runtime, { workspaceId, ticket, ip })
    return await runtime.db.transaction(workspaceId, run)
  } catch (error) {
    if (error instanceof NotFound) await limitGuessing(runtime, asked.address)
    throw error
  }
}

/** A token says which workspace it is for, under our signature; one that does not is nobody's. */
async function workspaceOf(runtime: Runtime, token: string | null, slug: string | undefined): Promise<string> {
  const { publicAccess } = runtime.config.tickets
  if (token !== null && publicAccess !== 'off') {
    const holder = readToken(runtime, token)
    if (holder) return holder.workspaceId
  }
  if (token !== null || publicAccess !== 'number') throw new NotFound('ticket')
  return requireWorkspace(runtime, slug)
}

export async function requireWorkspace(runtime: Runtime, slug: string | undefined): Promise<string> {
  if (runtime.config.tickets.publicAccess === 'off') throw new NotFound('ticket')
  const id = slug === undefined ? await defaultWorkspaceId(runtime.db) : await findWorkspaceId(runtime.db, slug)
  if (!id) throw new NotFound('workspace')
  return id
}

/** How much somebody without an account may send, and how long an answer takes at least. */
import { setTimeout as pause } from 'node:timers/promises'
import { TooMany } from '#platform/errors.ts'
import { networkOf } from '#platform/limits/network.ts'
import type { Runtime } from '#platform/services.ts'

const evenMs = 200

/** Somebody new takes some milliseconds longer than a contact: answers go out at full steps, so that nobody is found out by it. */
export async function evenOut(begunAt: number): Promise<void> {
  await pause(evenMs - ((performance.now() - begunAt) % evenMs))
}

const hourMs = 3_600_000

/** By network and by address: whoever has many of the one still has few of the other. */
export async function limitOpening(
  { limits, tokens }: Runtime,
  { workspaceId, email, ip }: { workspaceId: string; email: string; ip: string },
): Promise<void> {
  const address = tokens.fingerprint('support.limit', email.trim().toLowerCase()).toString('base64url')
  await takeEach(limits, [
    [`ticket:network:${networkOf(ip)}`, 30],
    [`ticket:address:${workspaceId}:${address}`, 10],
  ])
}

export async function limitWriting(
  { limits }: Runtime,
  { workspaceId, ticket, ip }: { workspaceId: string; ticket: string; ip: string },
): Promise<void> {
  await takeEach(limits, [
    [`word:network:${networkOf(ip)}`, 120],
    [`word:ticket:${workspaceId}:${ticket.toLowerCase()}`, 60],
  ])
}

export async function limitGuessing({ limits, tokens }: Runtime, address: string): Promise<void> {
  const ticket = tokens.fingerprint('support.limit', address.toLowerCase()).toString('base64url')
  await takeEach(limits, [[`guess:${ticket}`, 60]])
}

async function takeEach(limits: Runtime['limits'], keys: [string, number][]): Promise<void> {
  for (const [key, limit] of keys) {
    const { allowed, resetMs } = await limits.take(`support:${key}`, { limit, windowMs: hourMs })
    if (allowed) continue
    const retryAfterSeconds = Math.ceil(resetMs / 1_000)
    throw new TooMany('too_many_tickets', 'Too much was sent from here. Try again later.', { retryAfterSeconds })
  }
}

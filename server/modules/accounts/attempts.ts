/**
 * How often somebody may guess: ten times in a quarter of an hour for one account, whoever asks, and a hundred times
 * from one address (of IPv6: from one network), whomever it tries. Only a complete sign-in, second factor included, gives
 * an account its tries back.
 */
import { createHash } from 'node:crypto'
import { TooMany } from '#platform/errors.ts'
import type { RateLimiter } from '#platform/limits/limits.ts'
import { networkOf } from '#platform/limits/network.ts'

const windowMs = 15 * 60_000
const perAccount = { limit: 10, windowMs }
const perAddress = { limit: 100, windowMs }

/** Counts one try before it is made, so that parallel guesses count too. */
export async function countAttempt(limits: RateLimiter, account: string, ip: string): Promise<void> {
  const taken = await Promise.all([
    limits.take(`accounts:attempt:ip:${networkOf(ip)}`, perAddress),
    limits.take(`accounts:attempt:account:${marked(account)}`, perAccount),
  ])
  const resetMs = Math.max(...taken.filter(({ allowed }) => !allowed).map((one) => one.resetMs), 0)
  if (taken.every(({ allowed }) => allowed)) return
  const seconds = Math.ceil(resetMs / 1_000)
  throw new TooMany('too_many_attempts', `Too many attempts. Try again in ${Math.ceil(seconds / 60)} minutes.`, {
    retryAfterSeconds: seconds,
  })
}

export async function forgiveAttempts(limits: RateLimiter, account: string): Promise<void> {
  await limits.reset(`accounts:attempt:account:${marked(account)}`, perAccount)
}

/** Addresses do not belong into the names of counters. */
function marked(account: string): string {
  return createHash('sha256').update(account.toLowerCase()).digest('base64url')
}

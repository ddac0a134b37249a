import { expect, test } from 'vitest'
import { createMemoryLimiter } from '#platform/limits/limits.ts'
import { countAttempt } from './attempts.ts'

test('guesses from all addresses of one IPv6 network are counted as one, and no other network pays for them', async () => {
  const limits = createMemoryLimiter()
  const guess = (at: number, network: string) => countAttempt(limits, `person${at}`, `${network}:${at.toString(16)}::1`)
  for (let at = 0; at < 100; at++) await guess(at, '2001:db8:1:2')
  await expect(guess(100, '2001:db8:1:2')).rejects.toMatchObject({ code: 'too_many_attempts' })
  await guess(101, '2001:db8:1:3')
})

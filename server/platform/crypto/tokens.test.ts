import { randomBytes, randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { createTokens, packUuids, unpackUuids } from './tokens.ts'

const masterKey = randomBytes(32)
const tokens = createTokens(masterKey)

test('a mail link carries two ids in fewer than 80 characters', () => {
  const ids = [randomUUID(), randomUUID()]
  const token = tokens.sign('unsubscribe', packUuids(...ids))
  expect(token.length).toBeLessThanOrEqual(80)
  expect(token).toMatch(/^[\w-]+$/)
  expect(unpackUuids(tokens.open('unsubscribe', token)!, 2)).toEqual(ids)
  const expiring = tokens.sign('open', packUuids(...ids), { expiresAt: new Date(Date.now() + 1000) })
  expect(expiring.length).toBeLessThanOrEqual(80)
})

test('a token of one purpose opens nothing under another', () => {
  const purposes = ['unsubscribe', 'click', 'reset', 'invite', 'session']
  for (const made of purposes) {
    const token = tokens.sign(made, packUuids(randomUUID()))
    for (const used of purposes) expect(tokens.open(used, token) !== null, `${made} as ${used}`).toBe(made === used)
  }
})

test('no change of any bit, length or spelling goes unnoticed', () => {
  const token = tokens.sign('click', Buffer.from('payload'), { expiresAt: new Date(Date.now() + 60_000) })
  const bytes = Buffer.from(token, 'base64url')
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const altered = Buffer.from(bytes)
    altered[bit >> 3]! ^= 1 << (bit & 7)
    expect(tokens.open('click', altered.toString('base64url')), `bit ${bit}`).toBeNull()
  }
  for (const spelling of [`${token}=`, `${token}A`, token.slice(0, -1), ` ${token}`, '', 'A', 'x'.repeat(5000)]) {
    expect(tokens.open('click', spelling)).toBeNull()
  }
  expect(createTokens(randomBytes(32)).open('click', token)).toBeNull()
})

test('a token ends at its expiry', () => {
  let clock = 1_800_000_000_000
  const timed = createTokens(masterKey, () => clock)
  const token = timed.sign('reset', { user: 'maria' }, { expiresAt: new Date(clock + 60_000) })
  expect(timed.openObject('reset', token)).toEqual({ user: 'maria' })
  clock += 60_000
  expect(timed.openObject('reset', token)).toBeNull()
})

test('bytes and objects are not mistaken for each other', () => {
  expect(tokens.open('a', tokens.sign('a', { id: 1 }))).toBeNull()
  expect(tokens.openObject('a', tokens.sign('a', Buffer.from('{"id":1}')))).toBeNull()
})

test('a short master key is refused', () => {
  expect(() => createTokens(Buffer.from('changeme'))).toThrow(/32 bytes/)
})

test('a fingerprint is the same for the same text alone, under one key and purpose', () => {
  const one = tokens.fingerprint('addresses', 'maria@example.org')
  expect(one).toHaveLength(32)
  expect(createTokens(masterKey).fingerprint('addresses', 'maria@example.org')).toEqual(one)
  expect(tokens.fingerprint('addresses', 'mario@example.org')).not.toEqual(one)
  expect(tokens.fingerprint('other', 'maria@example.org')).not.toEqual(one)
  expect(createTokens(randomBytes(32)).fingerprint('addresses', 'maria@example.org')).not.toEqual(one)
})

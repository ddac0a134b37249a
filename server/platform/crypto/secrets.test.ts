import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { hashPassword, judgePassword, verifyPassword } from './passwords.ts'
import { hashSecret, randomBase62, randomSecret, sameSecret } from './random.ts'
import { createSeal } from './seal.ts'

test('random keys use every character about equally and never repeat', () => {
  const keys = new Set(Array.from({ length: 2000 }, () => randomBase62()))
  expect(keys.size).toBe(2000)
  const counts = new Map<string, number>()
  for (const character of Array.from(keys).join('')) counts.set(character, (counts.get(character) ?? 0) + 1)
  expect(counts.size).toBe(62)
  // 86,000 draws over 62 characters: 1,387 each; a modulo bias would lift eight of them by a quarter.
  expect(Math.max(...counts.values())).toBeLessThan(1387 * 1.15)
  expect(Buffer.from(randomSecret(), 'base64url')).toHaveLength(32)
  expect(hashSecret('a')).toHaveLength(32)
})

test('secrets compare by value, whatever their lengths', () => {
  expect(sameSecret('abc', 'abc')).toBe(true)
  expect(sameSecret('abc', 'abcd')).toBe(false)
  expect(sameSecret('', 'a')).toBe(false)
})

test.each([
  ['short', 'too_short'],
  ['1234567', 'too_short'],
  ['Password', 'too_common'],
  ['iloveyou', 'too_common'],
  ['azertyuiop', 'too_common'],
  ['zzzzzzzzzzzz', 'too_common'],
  ['a'.repeat(257), 'too_long'],
  ['maria.popescu1', 'too_personal'],
  ['levieuxmoulin!', 'too_personal'],
  ['correct horse battery staple', null],
  ['ăâîșțĂÂ8', null],
  ['👩‍🌾 cu mere și pere', null],
])('the password %s is judged %s', (password, fault) => {
  expect(judgePassword(password, ['maria.popescu@moulin.example', 'LeVieuxMoulin'])).toBe(fault)
})

test('a password is known again, and only it', async () => {
  const base = 'é'.repeat(36) // 72 bytes: where bcrypt would stop reading
  const stored = await hashPassword(`${base}A`)
  expect(stored).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  expect(await verifyPassword(stored, `${base}A`)).toBe(true)
  expect(await verifyPassword(stored, `${base.normalize('NFD')}A`)).toBe(true)
  expect(await verifyPassword(stored, `${base}B`)).toBe(false)
  expect(await verifyPassword(stored, `${base}A${'x'.repeat(5000)}`)).toBe(false)
  expect(await verifyPassword(null, `${base}A`)).toBe(false)
  expect(await verifyPassword('not a hash', `${base}A`)).toBe(false)
})

test('a sealed secret opens only in its place, under its key and purpose', () => {
  const key = randomBytes(32)
  const seal = createSeal(key)
  const sealed = seal.seal('totp', 'JBSWY3DP', 'workspace-1/user-7')
  expect(seal.unseal('totp', sealed, 'workspace-1/user-7')).toBe('JBSWY3DP')
  expect(seal.seal('totp', 'JBSWY3DP', 'workspace-1/user-7')).not.toBe(sealed)
  expect(sealed).not.toContain('JBSWY3DP')
  expect(seal.unseal('totp', sealed, 'workspace-2/user-7')).toBeNull()
  expect(seal.unseal('oauth', sealed, 'workspace-1/user-7')).toBeNull()
  expect(createSeal(randomBytes(32)).unseal('totp', sealed, 'workspace-1/user-7')).toBeNull()
  const altered = `${sealed.slice(0, -3)}${sealed.at(-3) === 'A' ? 'B' : 'A'}${sealed.slice(-2)}`
  expect(seal.unseal('totp', altered, 'workspace-1/user-7')).toBeNull()
  expect(seal.unseal('totp', 's1.', '')).toBeNull()
  expect(seal.unseal('totp', '', '')).toBeNull()
})

// Passwords: which are accepted, how they are kept, how they are checked. Argon2id with 19 MiB and two passes (the OWASP
// figure), computed in the thread pool, so that a sign-in never blocks other requests.
import { hash, verify } from '@node-rs/argon2'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'

export const PASSWORD_CHARACTERS_MIN = 8
export const PASSWORD_CHARACTERS_MAX = 256

export type PasswordFault = 'too_short' | 'too_long' | 'too_common' | 'too_personal'

// 2 is argon2id; the package's own name for it is a const enum, which single-file compilation cannot read.
const ARGON2ID = { algorithm: 2 as const, memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/**
 * What is wrong with a password that somebody chooses, or null. No rules of composition: length, the list of passwords
 * that leak most, and the person's own words (`personal`: e-mail address, name, workspace) are what counts.
 */
export function judgePassword(password: string, personal: string[] = []): PasswordFault | null {
  const text = password.normalize('NFKC')
  const length = Array.from(text).length
  if (length < PASSWORD_CHARACTERS_MIN) return 'too_short'
  if (length > PASSWORD_CHARACTERS_MAX) return 'too_long'
  const plain = text.toLowerCase()
  if (commonPasswords().has(plain) || new Set(plain).size < 3) return 'too_common'
  return personal.some((words) => isMadeOf(plain, words.toLowerCase())) ? 'too_personal' : null
}

/** The stored form, with its own salt and parameters inside. */
export function hashPassword(password: string): Promise<string> {
  return hash(password.normalize('NFKC'), ARGON2ID)
}

/**
 * Whether the password is the stored one. `stored` is null where there is no such person: then the same work is done
 * against a throw-away hash, so that the time of the answer does not tell who has an account.
 */
export async function verifyPassword(stored: string | null, password: string): Promise<boolean> {
  // Whoever sends more than we ever accepted is guessing; the bound keeps the work the same for all.
  const text = password.slice(0, PASSWORD_CHARACTERS_MAX * 4).normalize('NFKC')
  const matches = await verify(stored ?? (await nobodysHash()), text).catch(() => false)
  return stored !== null && matches && text.length === password.normalize('NFKC').length
}

let nobody: Promise<string> | undefined
function nobodysHash(): Promise<string> {
  return (nobody ??= hashPassword(randomBytes(18).toString('base64')))
}

let common: Set<string> | undefined
function commonPasswords(): Set<string> {
  const lines = () => readFileSync(new URL('common-passwords.txt', import.meta.url), 'utf8').split('\n')
  return (common ??= new Set(lines().filter((line) => line !== '' && !line.startsWith('#'))))
}

/** True for the whole word, its first part before "@", or either with up to four more characters around it. */
function isMadeOf(password: string, words: string): boolean {
  return [words, words.split('@')[0] ?? ''].some(
    (word) => word.length >= 4 && password.includes(word) && password.length - word.length <= 4,
  )
}

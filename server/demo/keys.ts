/** How to sign in to the demo: made at random once, and kept in the data folder for its owner's eyes only. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { randomBase62 } from '#platform/crypto/random.ts'

export interface DemoKeys {
  email: string
  password: string
}

export async function readKeys(dataDir: string): Promise<DemoKeys | null> {
  const text = await readFile(fileIn(dataDir), 'utf8').catch(() => null)
  return text === null ? null : (JSON.parse(text) as DemoKeys)
}

export async function writeKeys(dataDir: string, email: string): Promise<DemoKeys> {
  const keys = { email, password: randomBase62(16) }
  await mkdir(dataDir, { recursive: true })
  await writeFile(fileIn(dataDir), `${JSON.stringify(keys, null, 2)}\n`, { mode: 0o600 })
  return keys
}

export async function forgetKeys(dataDir: string): Promise<void> {
  await rm(fileIn(dataDir), { force: true })
}

function fileIn(dataDir: string): string {
  return path.join(dataDir, 'demo.json')
}

/** `--demo` at the start of the program: makes the demo where there is none, and tells how to sign in. */
import { replacePassword } from '#modules/accounts/index.ts'
import { hashPassword } from '#platform/crypto/passwords.ts'
import type { Runtime } from '#platform/services.ts'
import { demoExists, demoOwner, demoWorkspaceId, makeDemo, requireRoom } from './demo.ts'
import { readKeys, writeKeys } from './keys.ts'

/** The lines to print. The password is written down before the demo is made: one that nobody knows would be lost. */
export async function openDemo(runtime: Runtime): Promise<string[]> {
  const { dataDir } = runtime.config.app
  await requireRoom(runtime)
  const exists = await demoExists(runtime)
  const known = await readKeys(dataDir)
  const keys = known ?? (await writeKeys(dataDir, demoOwner))
  const made = !exists && (await makeDemo(runtime, await hashPassword(keys.password)))
  if (exists && !known) await renewPassword(runtime, keys.password)
  return [
    `The demo, "Le Vieux Moulin", is ${made ? 'ready' : 'there'}. Sign in with`,
    `  ${keys.email}`,
    `  ${keys.password}`,
  ]
}

/** Whoever can start the program with its data may get in; the file was lost, or another machine has it. */
async function renewPassword({ db }: Runtime, password: string): Promise<void> {
  const hash = await hashPassword(password)
  await db.transaction(demoWorkspaceId, (tx) => replacePassword(tx, demoOwner, hash))
}

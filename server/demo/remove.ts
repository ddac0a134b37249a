/** `rapport demo --remove`: the demo goes with all that is in it. Nothing else is touched. */
import pg from 'pg'
import { removeHouse } from '#modules/accounts/index.ts'
import { purgeWorkspace } from '#platform/db/purge.ts'
import type { Runtime } from '#platform/services.ts'
import { demoExists, demoWorkspaceId } from './demo.ts'
import { forgetKeys } from './keys.ts'

/** Answers a sentence to print. Removing it twice changes nothing. */
export async function removeDemo(runtime: Runtime, ownerUrl: string): Promise<string> {
  const there = await demoExists(runtime)
  if (there) await removeRows(ownerUrl)
  for await (const key of runtime.files.list(`${demoWorkspaceId}/`)) await runtime.files.delete(key)
  await forgetKeys(runtime.config.app.dataDir)
  return there ? 'The demo is gone.' : 'There is no demo here.'
}

async function removeRows(ownerUrl: string): Promise<void> {
  const owner = new pg.Client({ connectionString: ownerUrl })
  await owner.connect()
  try {
    await owner.query('begin')
    await removeHouse(owner, demoWorkspaceId)
    await purgeWorkspace(owner, demoWorkspaceId)
    await owner.query('commit')
  } finally {
    await owner.end()
  }
}

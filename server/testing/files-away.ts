/** A storage of files that is away for a moment, and what the queue does when its pause is over. */
import { expect } from 'vitest'
import { FilesUnavailable } from '#platform/files/files.ts'
import type { TestApp } from './start.ts'

/** The next deletion fails; what was stored stays there. */
export function failNextDeletion(app: TestApp): void {
  const { files } = app.app.runtime
  const real = files.delete
  files.delete = async () => {
    files.delete = real
    throw new FilesUnavailable('The storage is away.')
  }
}

/** What is stored next under a key with these letters is there, and the storage's answer is lost. */
export function loseAnswerOf(app: TestApp, part: string): void {
  const { files } = app.app.runtime
  const real = files.put
  files.put = async (key, ...rest) => {
    const result = await real(key, ...rest)
    if (!key.includes(part)) return result
    files.put = real
    throw new FilesUnavailable('The storage is away.')
  }
}

/** Jobs of this kind that failed and wait for their next try have it now. */
export async function tryAgain(app: TestApp, kind: string): Promise<void> {
  await app.inTx((tx) => tx.rawQuery("update platform.jobs set status = 'failed' where status = 'queued'"))
  const { data } = (await app.as('adrian').get(`/jobs?kind=${kind}&status=failed`)).body
  expect(data.length).toBeGreaterThan(0)
  for (const { id } of data) await app.as('adrian').post(`/jobs/${id}/retry`)
  await app.drain()
}

/** What lies in a folder of the workspace. */
export async function keysIn(app: TestApp, folder: string): Promise<string[]> {
  const keys: string[] = []
  for await (const key of app.app.runtime.files.list(`${app.world.workspaceId}/${folder}/`)) keys.push(key)
  return keys
}

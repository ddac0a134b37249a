// A file that waits for the scanner is imported when it is found clean, and goes when it is not.
import { expect, test } from 'vitest'
import type { ScanResult } from '#platform/scan/scan.ts'
import { failNextDeletion, keysIn, tryAgain } from '#testing/files-away.ts'
import { form } from '#testing/import-file.ts'
import { start } from '#testing/start.ts'

test('what is condemned before its import goes for good, though the storage be away at that moment', async () => {
  await using app = await start()
  const maria = app.as('maria')
  let verdict: ScanResult = { verdict: 'unavailable', reason: 'asleep' }
  app.app.runtime.scan.scan = async (content) => {
    content.destroy()
    return verdict
  }
  const reply = await maria.post('/contacts/import', ...form('email,first_name\nana@x.example,Ana\n'))
  expect(reply.status, reply.text).toBe(202)
  verdict = { verdict: 'infected', signature: 'Eicar' }
  failNextDeletion(app)
  await app.drain()
  expect((await maria.get(`/jobs/${reply.body.id}`)).body).toMatchObject({
    status: 'failed',
    error: expect.stringContaining('Eicar'),
  })
  expect(await keysIn(app, 'imports')).toHaveLength(1)
  await tryAgain(app, 'contacts.remove_files')
  expect(await keysIn(app, 'imports')).toEqual([])
  expect((await maria.get('/contacts?search=ana@x.example')).body.data).toEqual([])
})

// Files that come in and get no row in the end: whatever fails, and wherever the storage is at that moment, none stays.
import pg from 'pg'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { failNextDeletion, keysIn, loseAnswerOf, tryAgain } from '#testing/files-away.ts'
import { form } from '#testing/import-file.ts'
import { start, type Client, type TestApp } from '#testing/start.ts'

const csv = 'email,first_name\nana@x.example,Ana\n'

/** From now on no row of this table can be written. */
async function refuseRows(app: TestApp, table: string): Promise<void> {
  const owner = new pg.Client({ connectionString: app.databaseUrl })
  await owner.connect()
  await owner.query(`alter table ${table} add constraint never check (false) not valid`)
  await owner.end()
}

const fileFirst = (field: string) => {
  const part = (name: string, text: string) => `--x\r\ncontent-disposition: form-data; name="${name}"${text}\r\n`
  return Buffer.from(`${part('file', `; filename="a.csv"\r\n\r\n${csv}`)}${field && part(field, '\r\n\r\nno')}`)
}
const asForm = { 'content-type': 'multipart/form-data; boundary=x' }

test.each<
  [string, (app: TestApp, maria: Client) => Promise<{ status: number; body: { code?: string } }>, [number, string]]
>([
  [
    'condemned by the scanner',
    async (app, maria) => {
      app.app.runtime.scan.scan = async (content) => {
        content.destroy()
        return { verdict: 'infected', signature: 'Eicar' }
      }
      return maria.post('/contacts/import', ...form(csv))
    },
    [422, 'invalid'],
  ],
  ['empty', (_app, maria) => maria.post('/contacts/import', ...form('')), [422, 'invalid']],
  [
    'sent with an option that is none',
    (_app, maria) =>
      maria.post('/contacts/import', Buffer.concat([fileFirst('wish'), Buffer.from('--x--\r\n')]), asForm),
    [422, 'invalid'],
  ],
  [
    'sent with an option that cannot be read',
    (_app, maria) =>
      maria.post('/contacts/import', Buffer.concat([fileFirst('mapping'), Buffer.from('--x--\r\n')]), asForm),
    [422, 'invalid'],
  ],
  [
    'stored without our hearing of it',
    async (app, maria) => {
      loseAnswerOf(app, '/imports/')
      return maria.post('/contacts/import', ...form(csv))
    },
    [503, 'files_unavailable'],
  ],
  [
    'stored, and then the database writes no row',
    async (app, maria) => {
      await refuseRows(app, 'contacts.import_uploads')
      return maria.post('/contacts/import', ...form(csv))
    },
    [500, 'internal'],
  ],
])('a file to import that is %s', async (_, send, [status, code]) => {
  await using app = await start()
  failNextDeletion(app)
  const reply = await send(app, app.as('maria'))
  expect([reply.status, reply.body.code]).toEqual([status, code])
  expect(await keysIn(app, 'imports'), 'the storage was away').toHaveLength(1)
  await app.drain()
  expect(await keysIn(app, 'imports')).toEqual([])
})

test.each([
  ['ends in the head of a part', '--x\r\nconte', 'boundary=x'],
  [
    'ends within the file',
    '--x\r\ncontent-disposition: form-data; name="file"; filename="a.csv"\r\n\r\nemail',
    'boundary=x',
  ],
  ['names no boundary', '--x--\r\n', 'charset=utf-8'],
  ['has a boundary without end', '--x--\r\n', `boundary=${'x'.repeat(300)}`],
])('a form that %s is the sender’s fault, and leaves nothing', async (_, body, type) => {
  await using app = await start()
  const { body: contact } = await app.as('maria').post('/contacts', { email: 'a@x.example', first_name: 'A' })
  for (const path of ['/contacts/import', `/contacts/${contact.id}/avatar`]) {
    const headers = { 'content-type': `multipart/form-data; ${type}` }
    const reply = await app.as('maria').post(path, Buffer.from(body), headers)
    expect([path, reply.status, reply.body.code]).toEqual([path, 400, 'unreadable'])
  }
  expect([await keysIn(app, 'imports'), await keysIn(app, 'avatars')]).toEqual([[], []])
})

async function send(app: TestApp, id: string, headers: Record<string, string> = {}) {
  const picture = await sharp({ create: { width: 20, height: 20, channels: 3, background: '#ff0000' } })
    .png()
    .toBuffer()
  const head = '--x\r\ncontent-disposition: form-data; name="file"; filename="me.png"\r\n\r\n'
  const body = Buffer.concat([Buffer.from(head), picture, Buffer.from('\r\n--x--\r\n')])
  return app.as('maria').post(`/contacts/${id}/avatar`, body, { ...asForm, ...headers })
}

test.each<[string, (app: TestApp) => Promise<Record<string, string>>, [number, string], number]>([
  ['half of it is stored', async (app) => (loseAnswerOf(app, '-512.webp'), {}), [503, 'files_unavailable'], 1],
  [
    'all of it is stored, and we do not hear of it',
    async (app) => (loseAnswerOf(app, '-128.webp'), {}),
    [503, 'files_unavailable'],
    1,
  ],
  ['the contact is another by then', async () => ({ 'if-match': '"v99"' }), [412, 'stale'], 1],
  ['the database writes no row', async (app) => (await refuseRows(app, 'contacts.avatars'), {}), [500, 'internal'], 1],
])('a picture, when %s', async (_, prepare, [status, code], left) => {
  await using app = await start()
  const { body: contact } = await app.as('maria').post('/contacts', { email: 'a@x.example', first_name: 'A' })
  failNextDeletion(app)
  const reply = await send(app, contact.id, await prepare(app))
  expect([reply.status, reply.body.code]).toEqual([status, code])
  expect(await keysIn(app, 'avatars')).toHaveLength(left)
  await app.drain()
  expect(await keysIn(app, 'avatars')).toEqual([])
  expect((await app.as('maria').get(`/contacts/${contact.id}`)).body.avatar_url).toBeNull()
})

test('a picture that is taken away goes when the storage is back, and the one after it stays', async () => {
  await using app = await start()
  const { body: contact } = await app.as('maria').post('/contacts', { email: 'a@x.example', first_name: 'A' })
  expect((await send(app, contact.id)).status).toBe(201)
  failNextDeletion(app)
  expect((await app.as('maria').delete(`/contacts/${contact.id}/avatar`)).status).toBe(200)
  expect((await send(app, contact.id)).status).toBe(201)
  await app.drain()
  expect(await keysIn(app, 'avatars')).toHaveLength(4)
  await tryAgain(app, 'contacts.remove_files')
  expect(await keysIn(app, 'avatars')).toHaveLength(2)
  const shown = (await app.as('maria').get(`/contacts/${contact.id}`)).body.avatar_url
  expect((await app.app.http.inject({ url: shown })).statusCode).toBe(401)
  expect((await app.as('maria').get(shown.replace('/api/v1', ''))).status).toBe(200)
})

/** The import through its doors, on a real database. */
import { expect, test } from 'vitest'
import { start, type Client, type TestApp } from '#testing/start.ts'

test('a file becomes contacts, and a second time changes nothing', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const csv = [
    'E-mail;Prénom;Nom;Société;Téléphone;Tags;Couleur',
    'ana@example.com;Ana;Ionescu;Moulin;06 12 34 56 78;vip, paris;bleu',
    'not an address;Bad;Row;;;;',
    'ANA@example.com;Ana;Again;;;;',
    ';No;Address;;;;',
    'bob@example.com;Bob;"Quoted; name";;+33 6 00 00 00 00;vip;',
    '',
  ].join('\r\n')
  const first = await importCsv(app, maria, csv)
  expect(first).toMatchObject({ status: 'succeeded', rows: 5, created: 2, skipped: 1, failed: 2, updated: 0, merged: 0 })
  const ana = (await maria.get('/contacts?search=ana')).body.data[0]
  expect(ana).toMatchObject({
    email: 'ana@example.com',
    first_name: 'Ana',
    last_name: 'Ionescu',
    company: 'Moulin',
    phone: '06 12 34 56 78',
    custom_fields: { couleur: 'bleu' },
  })
  expect(ana.tags.toSorted()).toEqual(['paris', 'vip'])
  expect(await app.drainEvents()).toEqual(['contact.created', 'customer.created', 'contact.created', 'customer.created'])

  for (const duplicates of ['skip', 'update', 'merge']) {
    const again = await importCsv(app, maria, csv, { duplicates })
    // In the modes that write, the third row gives Ana another last name, and the first takes it back.
    if (duplicates !== 'update') expect(again).toMatchObject({ rows: 5, created: 0, updated: 0, merged: 0, skipped: 3, failed: 2 })
  }
})

export async function importCsv(
  app: TestApp,
  client: Client,
  csv: string | Buffer,
  options: Record<string, unknown> = {},
): Promise<Record<string, any>> {
  const reply = await client.post('/contacts/import', ...form(csv, options))
  expect(reply.body).toMatchObject({ kind: 'contacts.import' })
  expect(reply.status).toBe(202)
  await app.drain()
  return (await client.get(`/contacts/imports/${reply.body.import_id}`)).body
}

export function form(csv: string | Buffer, options: Record<string, unknown> = {}): [Buffer, Record<string, string>] {
  const boundary = 'the-boundary-of-a-test'
  const fields = Object.entries(options).map(([name, value]) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    return `--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${text}\r\n`
  })
  const head = `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="people.csv"\r\ncontent-type: text/csv\r\n\r\n`
  const body = Buffer.concat([Buffer.from(fields.join('') + head), Buffer.from(csv), Buffer.from(`\r\n--${boundary}--\r\n`)])
  return [body, { 'content-type': `multipart/form-data; boundary=${boundary}` }]
}

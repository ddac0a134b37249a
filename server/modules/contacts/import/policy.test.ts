/** What becomes of a value that is there already: by mode, and field by field. */
import { expect, test } from 'vitest'
import { form, importFile } from '#testing/import-file.ts'
import { start, type Client } from '#testing/start.ts'

const before =
  'email,first_name,company,job_title,phone,notes,tags,colour,size\na@example.com,Ana,,Chef,+33612345678,old,red,blue,\n'
const after =
  'email,first_name,company,job_title,phone,notes,tags,colour,size,last modified\na@example.com,Anna,Moulin,,+33698765432,new,green,pink,XL,'

async function ana(client: Client) {
  const { data } = (await client.get('/contacts?search=a@example.com')).body
  const { first_name, company, job_title, phone, notes, tags, custom_fields } = data[0]
  return { first_name, company, job_title, phone, notes, tags: tags.toSorted(), custom_fields }
}

const old = {
  first_name: 'Ana',
  company: null,
  job_title: 'Chef',
  phone: '+33612345678',
  notes: 'old',
  tags: ['red'],
  custom_fields: { colour: 'blue' },
}
const overwritten = {
  first_name: 'Anna',
  company: 'Moulin',
  job_title: 'Chef',
  phone: '+33698765432',
  notes: 'new',
  tags: ['green', 'red'],
  custom_fields: { colour: 'pink', size: 'XL' },
}
const filled = {
  ...old,
  company: 'Moulin',
  tags: ['green', 'red'],
  notes: 'old\nnew',
  custom_fields: { colour: 'blue', size: 'XL' },
}

test.each<[string, string, Record<string, string> | undefined, object]>([
  ['skip leaves alone', 'skip', undefined, old],
  ['update overwrites, and an empty cell never does', 'update', undefined, overwritten],
  ['merge fills and appends', 'merge', undefined, filled],
  ['one field keeps what it has', 'update', { first_name: 'fill_empty' }, { ...overwritten, first_name: 'Ana' }],
  ['one field is overwritten', 'merge', { phone: 'overwrite' }, { ...filled, phone: '+33698765432' }],
  [
    'custom fields each have their own rule',
    'merge',
    { 'custom_fields.colour': 'overwrite' },
    { ...filled, custom_fields: { colour: 'pink', size: 'XL' } },
  ],
  [
    'and keep theirs against a general one',
    'update',
    { 'custom_fields.colour': 'fill_empty' },
    { ...overwritten, custom_fields: { colour: 'blue', size: 'XL' } },
  ],
  ['a general rule', 'merge', { default: 'overwrite' }, overwritten],
  ['notes grow', 'update', { notes: 'append' }, { ...overwritten, notes: 'old\nnew' }],
  ['tags are replaced', 'update', { tags: 'overwrite' }, { ...overwritten, tags: ['green'] }],
  ['tags only where there are none', 'merge', { tags: 'fill_empty' }, { ...filled, tags: ['red'] }],
])('%s', async (_, duplicates, policy, expected) => {
  await using app = await start()
  const maria = app.as('maria')
  await importFile(app, maria, before)
  const options = { duplicates, ...(policy ? { policy } : {}) }
  const done = await importFile(app, maria, after, options)
  expect(await ana(maria)).toEqual(expected)
  // The same file again changes nothing, whatever the policy.
  expect(await importFile(app, maria, after, options)).toMatchObject({ skipped: 1, updated: 0, merged: 0 })
  await maria.post(`/contacts/imports/${done.id}/undo`)
  await app.drain()
  expect(await ana(maria)).toEqual(old)
})

test('the newer of two values wins, by the file’s own dates', async () => {
  await using app = await start()
  const maria = app.as('maria')
  await importFile(app, maria, before)
  const options = { duplicates: 'update', policy: { default: 'newest' } }
  await importFile(app, maria, `${after}2001-01-01`, options)
  expect(await ana(maria)).toEqual({
    ...overwritten,
    ...old,
    company: 'Moulin',
    tags: ['green', 'red'],
    custom_fields: { colour: 'blue', size: 'XL' },
  })
  await importFile(app, maria, `${after}2101-01-01`, options)
  expect(await ana(maria)).toEqual(overwritten)
})

test('a policy that could do nothing is refused, with the place and the reason', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const { upload_id } = (await maria.post('/contacts/import/preview', ...form(after))).body
  const send = async (duplicates: string, policy: object) => {
    const reply = await maria.post('/contacts/import', { upload_id, duplicates, policy })
    return [reply.status, reply.body.errors?.[0]?.pointer, reply.body.errors?.[0]?.code]
  }
  expect(await send('skip', { default: 'overwrite' })).toEqual([422, '/policy/default', 'mode_skip'])
  expect(await send('update', { shoes: 'overwrite' })).toEqual([422, '/policy/shoes', 'unknown_field'])
  expect(await send('update', { company: 'append' })).toEqual([422, '/policy/company', 'cannot_append'])
  expect(await send('update', { status: 'overwrite' })).toEqual([422, '/policy/status', 'consent'])
  expect((await send('update', { company: 'sometimes' }))[0]).toBe(422)
  const reply = await maria.post('/contacts/import', {
    upload_id,
    duplicates: 'update',
    policy: { company: 'newest' },
    mapping: { email: 'email', company: 'company' },
  })
  expect([reply.status, reply.body.errors[0].code]).toEqual([422, 'updated_at_missing'])
})

// What is kept, for how long, and of whom: imports, erasures, and the end of the thirty days.
import assert from 'node:assert/strict'
import pg from 'pg'
import { test } from 'vitest'
import { importFile } from '#testing/import-file.ts'
import { start, type Client } from '#testing/start.ts'
import { forgetOperations } from './sweep.ts'

async function editedContact(client: Client, name: string): Promise<string> {
  const { id } = (await client.post('/contacts', { email: `${name}@x.example`, first_name: name, company: 'Old' })).body
  await client.patch(`/contacts/${id}`, { company: 'New' })
  return id
}

test('an import is in the log, and undone by it', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const known = await editedContact(maria, 'known')
  const done = await importFile(app, maria, 'email,company\nknown@x.example,File\nnew@x.example,File\n', {
    duplicates: 'update',
  })
  const [operation] = (await maria.get('/contacts/operations?kind=import')).body.data
  assert.deepEqual([operation.subject_id, operation.status, operation.contacts], [done.id, 'done', 2])
  const history = (await maria.get(`/contacts/${known}/history`)).body.data
  assert.deepEqual(
    history.map(({ kind }: { kind: string }) => kind),
    ['import', 'edit'],
  )
  const undo = await maria.post(`/contacts/operations/${operation.id}/undo`)
  assert.equal(undo.status, 202, undo.text)
  await app.drain()
  assert.equal((await maria.get(`/contacts/${known}`)).body.company, 'New')
  assert.equal((await maria.get('/contacts')).body.total, 1)
  assert.equal((await maria.get(`/contacts/operations/${operation.id}`)).body.status, 'undone')
  const rehearsed = await importFile(app, maria, 'email\nx@x.example\n', { dry_run: true })
  assert.ok(rehearsed)
  assert.equal((await maria.get('/contacts/operations?kind=import')).body.total, 1)
})

test('an erasure takes what was there before with it, and an undo counts the person as gone', async () => {
  await using app = await start()
  const anna = app.as('anna')
  const one = (await anna.post('/contacts', { email: 'one@x.example', first_name: 'One' })).body.id
  const two = (await anna.post('/contacts', { email: 'two@x.example', first_name: 'Two' })).body.id
  const contact_ids = [one, two]
  const params = { field: 'company', value: 'Acme' }
  await anna.post('/contacts/bulk-action', { action: 'set_field', contact_ids, params })
  await app.drain()
  const [operation] = (await anna.get('/contacts/operations')).body.data
  assert.equal(operation.contacts, 2)
  await app.inTx((tx) => tx.rawQuery('delete from contacts.contacts where id = $1', [one]))
  const undone = (await anna.post(`/contacts/operations/${operation.id}/undo`)).body
  assert.deepEqual([undone.restored, undone.left, undone.gone], [1, 0, 1])
})

test('after thirty days nothing can be undone, and the log is forgotten', async () => {
  await using app = await start()
  const maria = app.as('maria')
  await editedContact(maria, 'old')
  const [old] = (await maria.get('/contacts/operations')).body.data
  const owner = new pg.Client({ connectionString: app.databaseUrl })
  await owner.connect()
  await owner.query(`update contacts.operations
    set created_at = created_at - interval '31 days', undoable_until = undoable_until - interval '31 days'`)
  await owner.end()
  const recent = await editedContact(maria, 'recent')
  const late = await maria.post(`/contacts/operations/${old.id}/undo`)
  assert.deepEqual([late.status, late.body.code], [409, 'undo_expired'])
  assert.equal(await forgetOperations(app.app.runtime, app.world.workspaceId), 1)
  const left = (await maria.get('/contacts/operations')).body
  assert.deepEqual([left.total, left.data.length], [1, 1])
  assert.equal((await maria.get(`/contacts/${recent}/history`)).body.total, 1)
  const { rows } = await app.inTx((tx) => tx.rawQuery('select 1 from contacts.operation_changes'))
  assert.equal(rows.length, 1)
})

// What imports leave behind goes when its time is over, and not before.
import pg from 'pg'
import { expect, test } from 'vitest'
import { keysIn } from '#testing/files-away.ts'
import { form, importFile } from '#testing/import-file.ts'
import { start, type TestApp } from '#testing/start.ts'

async function age(app: TestApp, days: number): Promise<void> {
  const owner = new pg.Client({ connectionString: app.databaseUrl })
  await owner.connect()
  for (const table of ['imports', 'import_uploads']) {
    await owner.query(`update contacts.${table} set created_at = created_at - interval '${days} days'`)
  }
  await owner.end()
}

async function countChanges(app: TestApp): Promise<number> {
  const { rows } = await app.inTx((tx) =>
    tx.rawQuery<{ n: number }>('select count(*) as n from contacts.import_changes'),
  )
  return rows[0]!.n
}

test('a file goes after a week, unless its import still waits; what an undo needs after thirty days', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const forget = () => app.app.tasks.find(({ name }) => name === 'contacts.forget_imports')!.run(app.app.runtime)
  await importFile(app, maria, 'email,first_name\nana@x.example,A\n')
  const old = await importFile(app, maria, 'email,first_name\nana@x.example,Ana\n', { duplicates: 'update' })
  expect(old).toMatchObject({ status: 'succeeded', updated: 1 })
  const { import_id: waitingId } = (await maria.post('/contacts/import', ...form('email\nbob@x.example\n'))).body
  await age(app, 6)
  await forget()
  expect(await keysIn(app, 'imports')).toHaveLength(3)
  await age(app, 2)
  await forget()
  expect(await keysIn(app, 'imports')).toHaveLength(1)
  await app.drain()
  expect((await maria.get(`/contacts/imports/${waitingId}`)).body).toMatchObject({ status: 'succeeded', created: 1 })
  await forget()
  expect(await keysIn(app, 'imports')).toEqual([])

  expect(await countChanges(app)).toBe(1)
  await age(app, 23)
  await forget()
  expect(await countChanges(app)).toBe(0)
  expect((await maria.post(`/contacts/imports/${old.id}/undo`)).body.code).toBe('undo_expired')
  expect((await maria.get(`/contacts/imports/${old.id}`)).body).toMatchObject({ status: 'succeeded', updated: 1 })
})

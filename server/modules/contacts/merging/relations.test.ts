// Nothing that hangs on a contact may be forgotten by a merge: the declarations are compared with the schema itself.
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { start } from '#testing/start.ts'
import { columns, relations } from './relations.ts'

test('every table that names a contact says how it follows a merge, or why it does not', async () => {
  await using app = await start()
  const { rows } = await app.inTx((tx) =>
    sql<{ name: string }>`
      select distinct 'contacts.' || c.relname as name from pg_attribute a join pg_class c on c.oid = a.attrelid
      where c.relnamespace = 'contacts'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
        and a.attname in ('contact_id', 'contact_ids') and not a.attisdropped
      union
      select 'contacts.' || r.relname from pg_constraint k join pg_class r on r.oid = k.conrelid
      where k.contype = 'f' and k.confrelid = 'contacts.contacts'::regclass and r.relnamespace = 'contacts'::regnamespace
      order by 1`.execute(tx.sql),
  )
  const known = new Set([...Object.keys(relations), ...elsewhere])
  expect(
    rows.map(({ name }) => name).filter((name) => !known.has(name)),
    'declare these in relations.ts',
  ).toEqual([])
  const real = new Set(rows.map(({ name }) => name))
  expect(Object.keys(relations).filter((name) => !real.has(name))).toEqual([])
})

/** The contact's own row, whose columns are declared; pairs, which a reaction closes; and the merges themselves. */
const elsewhere = ['contacts.contacts', 'contacts.duplicate_pairs', 'contacts.merges']

test('every column of a contact says how it follows', async () => {
  await using app = await start()
  const { rows } = await app.inTx((tx) =>
    sql<{ name: string }>`
      select attname as name from pg_attribute
      where attrelid = 'contacts.contacts'::regclass and attnum > 0 and not attisdropped order by 1`.execute(tx.sql),
  )
  expect(rows.map(({ name }) => name).toSorted()).toEqual(Object.keys(columns).toSorted())
})

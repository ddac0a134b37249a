/** Reads what is too much for the memory: a cursor of the server, some hundred rows at a time, in the caller's transaction. */
import type { RawBuilder } from 'kysely'
import type { QueryResultRow } from 'pg'
import { newId } from '../ids.ts'
import type { Tx } from './db.ts'

/** At least one batch, which is empty when there is nothing. */
export async function* inBatches<Row extends QueryResultRow>(
  tx: Tx,
  query: RawBuilder<Row>,
  size = 500,
): AsyncGenerator<Row[]> {
  const { sql: text, parameters } = query.compile(tx.sql)
  const name = `"batches_${newId()}"`
  await tx.rawQuery(`declare ${name} no scroll cursor for ${text}`, [...parameters])
  for (let isFirst = true; ; isFirst = false) {
    const { rows } = await tx.rawQuery<Row>(`fetch ${size} from ${name}`)
    if (rows.length || isFirst) yield rows
    if (rows.length < size) break
  }
  await tx.rawQuery(`close ${name}`)
}

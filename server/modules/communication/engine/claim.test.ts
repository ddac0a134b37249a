import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { newId } from '#platform/ids.ts'
import type { Tx } from '#platform/db/db.ts'
import { start } from '#testing/start.ts'
import { claimBatch, prolongClaims, reclaimExpired } from './claim.ts'

async function makeLedger(tx: Tx, size: number): Promise<string> {
  const id = newId()
  await sql`insert into communication.campaigns (workspace_id, id, name, status) values (${tx.workspaceId}, ${id}, 'Test', 'active')`.execute(
    tx.sql,
  )
  await sql`
    insert into communication.deliveries (workspace_id, campaign_id, contact_id, id, email, domain)
    select ${tx.workspaceId}::uuid, ${id}::uuid, gen_random_uuid(), gen_random_uuid(), n || '@guests.example', 'guests.example'
    from generate_series(1, ${size}) as n`.execute(tx.sql)
  return id
}

const leases = async (tx: Tx, campaignId: string): Promise<Date[]> => {
  const rows = await tx.sql
    .selectFrom('communication.deliveries')
    .select('lease_until')
    .where('campaign_id', '=', campaignId)
    .execute()
  return rows.flatMap((row) => row.lease_until ?? [])
}

test('workers that claim at the same moment get different recipients', async () => {
  await using app = await start()
  const id = await app.inTx((tx) => makeLedger(tx, 50))
  const claims = await Promise.all(Array.from({ length: 5 }, () => app.inTx((tx) => claimBatch(tx, id, 20))))
  const contacts = claims.flatMap(({ rows }) => rows.map((row) => row.contact_id))
  expect(contacts).toHaveLength(50)
  expect(new Set(contacts).size).toBe(50)
})

test('a heartbeat passes over the row that is being written, and prolongs the others', async () => {
  await using app = await start()
  const id = await app.inTx((tx) => makeLedger(tx, 3))
  const { claim, rows } = await app.inTx((tx) => claimBatch(tx, id, 3))
  await app.inTx((tx) =>
    sql`update communication.deliveries set lease_until = now() - interval '1 hour'`.execute(tx.sql),
  )
  await app.inTx(async (writer) => {
    await sql`select from communication.deliveries where contact_id = ${rows[0]!.contact_id} for update`.execute(
      writer.sql,
    )
    // Would wait for the writer for ever, if it waited at all.
    await app.inTx((tx) => prolongClaims(tx, [id], [claim]))
  })
  const now = Date.now()
  expect((await app.inTx((tx) => leases(tx, id))).filter((until) => until.getTime() > now)).toHaveLength(2)
})

test('only what has run out is taken back, and only what was handed over is in doubt', async () => {
  await using app = await start()
  const id = await app.inTx((tx) => makeLedger(tx, 3))
  const { rows } = await app.inTx((tx) => claimBatch(tx, id, 3))
  const [claimed, handedOver] = rows.map((row) => row.contact_id)
  await app.inTx((tx) =>
    sql`update communication.deliveries set lease_until = now() - interval '1 second',
          state = case contact_id when ${handedOver}::uuid then 'handed_over' else state end
        where contact_id in (${claimed}::uuid, ${handedOver}::uuid)`.execute(tx.sql),
  )
  expect(await app.inTx((tx) => reclaimExpired(tx, id))).toBe(2)
  const states = await app.inTx((tx) =>
    tx.sql
      .selectFrom('communication.deliveries')
      .select(['contact_id', 'state', 'ambiguous'])
      .where('campaign_id', '=', id)
      .execute(),
  )
  const stateOf = (contactId: string | undefined) => states.find((row) => row.contact_id === contactId)
  expect(stateOf(claimed)).toMatchObject({ state: 'queued', ambiguous: 0 })
  expect(stateOf(handedOver)).toMatchObject({ state: 'retry', ambiguous: 1 })
  expect(states.filter((row) => row.state === 'claimed')).toHaveLength(1)
})

// Messages go with the person when contacts are merged, and come back.
import { expect, test } from 'vitest'
import { sql } from 'kysely'
import { newId } from '#platform/ids.ts'
import { start, type TestApp } from '#testing/start.ts'

async function makeContact(app: TestApp, name: string): Promise<string> {
  const { status, body } = await app.as('maria').post('/contacts', { first_name: name, email: `${name}@x.example` })
  expect(status).toBe(201)
  return body.id as string
}

/** A campaign with a delivery for each of these. */
async function makeCampaign(app: TestApp, deliveries: { contactId: string; name: string; state: 'sent' | 'queued' }[]) {
  const [workspace_id, campaign_id] = [app.world.workspaceId, newId()]
  await app.inTx(async (tx) => {
    await tx.sql
      .insertInto('communication.campaigns')
      .values({ workspace_id, id: campaign_id, name: campaign_id, target_audience: '{}' })
      .execute()
    for (const { contactId, name, state } of deliveries) {
      const who = { contact_id: contactId, email: `${name}@x.example`, full_name: name, domain: 'x.example' }
      await tx.sql
        .insertInto('communication.deliveries')
        .values({ workspace_id, campaign_id, id: newId(), ...who, state })
        .execute()
      await tx.sql
        .insertInto('communication.link_clicks')
        .values({ workspace_id, campaign_id, number: 0, contact_id: contactId, first_at: tx.now, clicks: 1 })
        .execute()
    }
  })
  return campaign_id
}

async function rowsOf(app: TestApp) {
  const { rows } = await app.inTx((tx) =>
    sql<{ row: Record<string, unknown> }>`
      select to_jsonb(d) as row from communication.deliveries d
      union all select to_jsonb(c) from communication.link_clicks c
      union all select to_jsonb(s) - 'raw' from communication.sandbox_messages s order by 1`.execute(tx.sql),
  )
  return rows.map(({ row }) => row)
}

test('deliveries, clicks and sandbox mails follow a merge, and its undoing', async () => {
  await using app = await start()
  const [ana, twin] = [await makeContact(app, 'ana'), await makeContact(app, 'twin')]
  const dup = { contactId: twin, name: 'twin' }
  const both = await makeCampaign(app, [
    { contactId: ana, name: 'ana', state: 'sent' },
    { ...dup, state: 'sent' },
  ])
  const sent = await makeCampaign(app, [{ ...dup, state: 'sent' }])
  const waiting = await makeCampaign(app, [{ ...dup, state: 'queued' }])
  await app.app.runtime.mail.send({
    from: { address: 'a@b.example' },
    to: { address: 'twin@x.example' },
    subject: 'Hello',
    text: 'Hello',
    headers: {},
    messageId: `<${twin}@b.example>`,
    context: { workspaceId: app.world.workspaceId, campaignId: sent, contactId: twin },
  })
  await app.drain()
  const before = await rowsOf(app)
  const { body: merged } = await app.as('maria').post('/contacts/merge', { primary_id: ana, duplicate_ids: [twin] })
  await app.drain()
  const after = await rowsOf(app)
  expect(after.length).toBe(before.length)
  const of = (campaign: string) => after.filter((row) => row.campaign_id === campaign)
  expect(
    of(both)
      .map((row) => String(row.contact_id))
      .toSorted(),
    'one row for each person',
  ).toEqual([ana, ana, twin, twin].toSorted())
  expect(new Set(of(sent).map((row) => row.contact_id))).toEqual(new Set([ana]))
  expect(of(waiting).find((row) => row.state)).toMatchObject({
    contact_id: ana,
    email: 'ana@x.example',
    full_name: 'ana',
  })
  expect(
    of(sent).find((row) => row.state),
    'where it went stays written',
  ).toMatchObject({ email: 'twin@x.example' })
  await app.as('maria').post(`/contacts/merges/${merged.merge_id}/undo`)
  await app.drain()
  expect(await rowsOf(app)).toEqual(before)
  const left = await app.inTx((tx) => sql`select from communication.merged_rows`.execute(tx.sql))
  expect(left.rows.length).toBe(0)
})

test('what was sent to the survivor since the merge stays the survivor’s', async () => {
  await using app = await start()
  const [ana, twin] = [await makeContact(app, 'ana'), await makeContact(app, 'twin')]
  const waiting = await makeCampaign(app, [{ contactId: twin, name: 'twin', state: 'queued' }])
  const { body: merged } = await app.as('maria').post('/contacts/merge', { primary_id: ana, duplicate_ids: [twin] })
  await app.drain()
  await app.inTx((tx) => tx.sql.updateTable('communication.deliveries').set({ state: 'sent' }).execute())
  await app.as('maria').post(`/contacts/merges/${merged.merge_id}/undo`)
  await app.drain()
  const [delivery] = (await rowsOf(app)).filter((row) => row.campaign_id === waiting && row.state)
  expect(delivery).toMatchObject({ contact_id: ana, email: 'ana@x.example', state: 'sent' })
})

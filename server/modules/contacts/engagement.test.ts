import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { systemActor } from '#platform/actor.ts'
import { newId } from '#platform/ids.ts'
import { start, type TestApp } from '#testing/start.ts'
import { recordConsent } from './consent.ts'
import { recalculateScores, recordEngagement, trackingAllowed, type EngagementEntry } from './engagement.ts'
import { resolveContact } from './identity.ts'

async function makeContact(app: TestApp, email: string) {
  const { contact } = await app.inTx((tx) =>
    resolveContact(tx, systemActor(tx.workspaceId), { email, first_name: 'Maria', source: 'test' }),
  )
  await app.drainEvents()
  return contact
}

const record = (app: TestApp, ...entries: EngagementEntry[]) =>
  app.inTx((tx) => recordEngagement(tx, app.app.runtime, entries))

const readContact = async (app: TestApp, id: string) =>
  await app.inTx((tx) =>
    tx.sql.selectFrom('contacts.contacts').selectAll().where('id', '=', id).executeTakeFirstOrThrow(),
  )

test('each fact counts once; machines are shown and count for nothing', async () => {
  await using app = await start()
  const maria = await makeContact(app, 'maria@example.org')
  const paul = await makeContact(app, 'paul@example.org')
  const at = new Date(Date.now() - 60_000)
  const open = { contactId: maria.id, type: 'opened', occurredAt: at, sourceKey: 'open:1' } as const
  const fresh = await record(
    app,
    open,
    open,
    { ...open, sourceKey: 'click:1', type: 'clicked', campaignId: newId() },
    { ...open, sourceKey: 'open:2', machine: true },
    { ...open, contactId: paul.id, type: 'purchase', sourceKey: 'order:7' },
    { ...open, contactId: newId(), sourceKey: 'open:nobody' },
  )
  expect([...fresh].toSorted()).toEqual(['click:1', 'open:1', 'open:2', 'order:7'])
  expect(await readContact(app, maria.id)).toMatchObject({
    total_emails_opened: 1,
    total_emails_clicked: 1,
    engagement_score: 14, // an open, a click, and the week's bonus
    last_email_opened_at: at,
    last_engaged_at: at,
    version: 1,
  })
  expect(await readContact(app, paul.id)).toMatchObject({ total_purchases: 1, engagement_score: 20 })
  expect(await app.drainEvents()).toEqual(['contact.engagement', 'contact.engagement', 'contact.engagement'])
  expect(await record(app, open)).toEqual(new Set())
  expect((await readContact(app, maria.id)).total_emails_opened).toBe(1)
  expect(await app.drainEvents()).toEqual([])
  const { rows } = await app.inTx((tx) =>
    sql<{ machine: boolean | null }>`
    select metadata -> 'machine' as machine from contacts.interactions where source_key = 'open:2'`.execute(tx.sql),
  )
  expect(rows).toEqual([{ machine: true }])
})

test('batches that overlap crosswise neither wait for each other for ever nor lose a count', async () => {
  await using app = await start()
  const people: { id: string }[] = []
  for (let index = 0; index < 12; index++) people.push(await makeContact(app, `p${index}@example.org`))
  const batch = (turn: number) => {
    const order = turn % 2 ? people : people.toReversed()
    const now = new Date()
    return record(
      app,
      ...order.map(({ id }) => ({
        contactId: id,
        type: 'opened' as const,
        occurredAt: now,
        sourceKey: `${turn}:${id}`,
      })),
    )
  }
  await Promise.all(Array.from({ length: 10 }, (_, turn) => batch(turn)))
  for (const { id } of people) expect((await readContact(app, id)).total_emails_opened).toBe(10)
})

test('scores sink with time, and only those that changed are written', async () => {
  await using app = await start()
  const maria = await makeContact(app, 'maria@example.org')
  const paul = await makeContact(app, 'paul@example.org')
  await record(app, { contactId: maria.id, type: 'clicked', occurredAt: new Date(), sourceKey: '1' })
  await record(app, { contactId: paul.id, type: 'clicked', occurredAt: new Date(), sourceKey: '2' })
  await app.inTx((tx) =>
    sql`update contacts.contacts set last_engaged_at = now() - interval '8 days' where id = ${maria.id}`.execute(
      tx.sql,
    ),
  )
  const recalculate = () => recalculateScores(app.app.runtime, app.inTx, 1)
  expect(await recalculate()).toBe(1)
  expect([
    (await readContact(app, maria.id)).engagement_score,
    (await readContact(app, paul.id)).engagement_score,
  ]).toEqual([8, 13])
  expect(await recalculate()).toBe(0)
})

test('other systems report engagement through the API, once per key', async () => {
  await using app = await start()
  const maria = await makeContact(app, 'maria@example.org')
  const report = { type: 'opened', campaign_id: newId(), source_key: 'mail-1', occurred_at: '2999-01-01T00:00:00Z' }
  for (let turn = 0; turn < 3; turn++) {
    const reply = await app.as('maria').post(`/contacts/${maria.id}/engagement`, report)
    expect([reply.status, reply.body]).toEqual([200, { message: expect.any(String) }])
  }
  const contact = await readContact(app, maria.id)
  expect(contact.total_emails_opened).toBe(1)
  expect(contact.last_email_opened_at!.getTime()).toBeLessThanOrEqual(Date.now())
  expect((await app.as('victor').post(`/contacts/${maria.id}/engagement`, { type: 'opened' })).status).toBe(403)
  expect((await app.stranger.post(`/contacts/${maria.id}/engagement`, { type: 'opened' })).status).toBe(404)
  expect((await app.as('maria').post(`/contacts/${maria.id}/engagement`, { type: 'sneezed' })).status).toBe(422)
  expect(await app.inTx((tx) => trackingAllowed(tx, [maria.id]))).toEqual(new Set())
})

test('the team subscribes and unsubscribes; transactional messages stay on', async () => {
  await using app = await start()
  const { id } = await makeContact(app, 'maria@example.org')
  const as = app.as('agnes')
  const subscribed = await as.post(`/contacts/${id}/subscribe`, { type: 'all' })
  expect(subscribed.status).toBe(200)
  expect(subscribed.headers.etag).toMatch(/^"v\d+"$/)
  expect(subscribed.body).toMatchObject({ newsletter_subscribed: true, marketing_subscribed: true, status: 'active' })
  const half = await as.post(`/contacts/${id}/unsubscribe`, { type: 'newsletter' })
  expect(half.body).toMatchObject({ newsletter_subscribed: false, marketing_subscribed: true, status: 'active' })
  const always = await as.post(`/contacts/${id}/unsubscribe`, { type: 'transactional' })
  expect([always.status, always.body.errors[0].code]).toEqual([422, 'always_on'])
  const none = await as.post(`/contacts/${id}/unsubscribe`, { type: 'all' })
  expect(none.body).toMatchObject({ marketing_subscribed: false, status: 'unsubscribed' })
  const back = await as.post(`/contacts/${id}/subscribe`, { type: 'newsletter' })
  expect(back.body).toMatchObject({ newsletter_subscribed: true, status: 'active', unsubscribed_at: null })
  expect(await app.drainEvents()).toEqual([
    'contact.subscribed',
    'contact.unsubscribed',
    'contact.unsubscribed',
    'contact.subscribed',
  ])
  const ledger = await app.as('victor').get(`/contacts/${id}/consents?limit=2`)
  expect(ledger.body).toMatchObject({
    total: 5,
    data: [{ decision: 'granted', actor: { id: app.world.people.agnes.id } }, {}],
  })
  const rest = await app.as('victor').get(`/contacts/${id}/consents?limit=50&cursor=${ledger.body.next_cursor}`)
  expect(rest.body.data).toHaveLength(3)
  expect((await app.stranger.get(`/contacts/${id}/consents`)).status).toBe(404)
  expect((await app.stranger.post(`/contacts/${id}/unsubscribe`, { type: 'all' })).status).toBe(404)
  expect((await as.post(`/contacts/${id}/subscribe`, { type: 'newsletter' }, { 'if-match': '"v999"' })).status).toBe(
    412,
  )
})

test('a changed record obeys the same rule; a new one comes without the subscription', async () => {
  await using app = await start()
  const as = app.as('maria')
  const input = { email: 'lea@example.org', first_name: 'Lea', newsletter_subscribed: true }
  const lea = (await as.post('/contacts', input)).body
  expect(lea.newsletter_subscribed).toBe(true)
  await app.inTx((tx) =>
    recordConsent(
      tx,
      app.app.runtime,
      (['newsletter', 'marketing'] as const).map((purpose) => ({
        contactId: lea.id,
        purpose,
        decision: 'withdrawn' as const,
        source: 'one_click' as const,
      })),
    ),
  )
  const refused = await as.put(`/contacts/${lea.id}`, { newsletter_subscribed: true, first_name: 'Léa' })
  expect([refused.status, refused.body.code]).toEqual([409, 'unsubscribed_by_person'])
  expect((await as.get(`/contacts/${lea.id}`)).body).toMatchObject({ first_name: 'Lea', newsletter_subscribed: false })
  await as.delete(`/contacts/${lea.id}`)
  const again = await as.post('/contacts', input)
  expect([again.status, again.body.newsletter_subscribed]).toEqual([201, false])
})

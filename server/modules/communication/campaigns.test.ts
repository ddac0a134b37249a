import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { startSmtpSink } from '#testing/smtp-sink.ts'
import { start, type TestApp } from '#testing/start.ts'
import { createEngine } from './engine/engine.ts'

const content = '<p>Bonjour {{contact.first_name}}, <a href="https://moulin.example/menu">le menu</a></p>'

async function makeAudience(
  app: TestApp,
  names: string[],
  fields: object = { marketing_subscribed: true },
): Promise<string> {
  const maria = app.as('maria')
  const list = await maria.post('/lists', { name: `Guests ${names.join(' ')}` })
  const ids: string[] = []
  for (const name of names) {
    const reply = await maria.post('/contacts', {
      email: `${name.toLowerCase()}@guests.example`,
      first_name: name,
      ...fields,
    })
    expect(reply.status).toBe(201)
    ids.push(reply.body.id)
  }
  expect((await maria.post(`/lists/${list.body.id}/contacts`, { contact_ids: ids })).status).toBe(200)
  return list.body.id
}

async function makeCampaign(app: TestApp, listId: string, config: object = {}): Promise<string> {
  const reply = await app.as('maria').post('/communication/campaigns', {
    name: 'Menu of May',
    target_audience: { list_ids: [listId] },
    channels: [
      { type: 'email', config: { subject: 'Hello {{contact.first_name}}', ...config }, content_template: content },
    ],
  })
  expect(reply.status).toBe(201)
  return reply.body.id
}

const show = async (app: TestApp, id: string) => (await app.as('maria').get(`/communication/campaigns/${id}`)).body
const move = (app: TestApp, id: string, name: string, body?: object) =>
  app.as('maria').post(`/communication/campaigns/${id}/${name}`, body)
const ledger = async (app: TestApp, id: string) => {
  const { body } = await app.as('maria').get(`/communication/campaigns/${id}/deliveries`)
  return body.data as Record<string, unknown>[]
}
/** Lets time pass for whoever waits to be tried again. */
const letRetriesFallDue = (app: TestApp) =>
  app.inTx((tx) =>
    sql`update communication.deliveries set next_attempt_at = now() where state = 'retry'`.execute(tx.sql),
  )

describe('a campaign', () => {
  test('reaches each recipient exactly once, and ledger, events and timelines say so', async () => {
    await using app = await start()
    const listId = await makeAudience(app, ['Zoe', 'Ion', 'Eve'])
    const id = await makeCampaign(app, listId)
    await app.drainEvents()
    const launched = await move(app, id, 'launch')
    expect([launched.status, launched.body.status]).toEqual([202, 'active'])
    const events = await app.drainEvents()
    const addresses = app.mails().map((mail) => mail.to)
    expect(addresses.toSorted()).toEqual(['eve@guests.example', 'ion@guests.example', 'zoe@guests.example'])
    const campaign = await show(app, id)
    expect(campaign).toMatchObject({ status: 'completed', audience_size: 3 })
    expect(campaign.counts).toMatchObject({ total: 3, sent: 3, queued: 0, claimed: 0, handed_over: 0 })
    expect(events.filter((name) => name.startsWith('campaign.') || name.startsWith('email.'))).toEqual([
      'campaign.launched',
      'email.sent',
      'email.sent',
      'email.sent',
      'campaign.completed',
    ])
    const [first] = await ledger(app, id)
    const timeline = await app.as('maria').get(`/contacts/${String(first?.contact_id)}/interactions?type=email_sent`)
    expect(timeline.body.data).toHaveLength(1)
    expect((await move(app, id, 'launch')).body.code).toBe('campaign_status')
  })

  test('carries the headers of marketing mail, and the same Message-ID whenever it is sent again', async () => {
    await using app = await start()
    const id = await makeCampaign(app, await makeAudience(app, ['Zoe']))
    await move(app, id, 'launch')
    await app.drain()
    const [mail] = app.mails()
    expect(mail!.raw).toMatch(/^List-Unsubscribe: <http[^>]+\/u\/[^>]+>, <mailto:[^>]+>\r$/m)
    expect(mail!.raw).toMatch(/^List-Unsubscribe-Post: List-Unsubscribe=One-Click\r$/m)
    expect(mail!.raw).toMatch(/^List-Id: <marketing\.moulin\.[^>]+>\r$/m)
    expect(mail!.raw).toMatch(new RegExp(`^Feedback-ID: ${id}:moulin:marketing:rapport\\r$`, 'm'))
    expect(mail!.raw).toMatch(/^Subject: Hello Zoe\r$/m)
    expect(mail!.raw).not.toContain('/t/o/') // she did not allow open tracking
    const messageIdOf = (raw: string) => /^Message-ID: (.+)\r$/m.exec(raw)?.[1]
    await app.inTx((tx) => sql`update communication.deliveries set state = 'queued', claim = null`.execute(tx.sql))
    await app.inTx((tx) => sql`update communication.campaigns set status = 'active'`.execute(tx.sql))
    await app.inTx((tx) =>
      sql`insert into communication.sending (workspace_id, campaign_id) values (${tx.workspaceId}, ${id})`.execute(
        tx.sql,
      ),
    )
    await app.drain()
    expect(messageIdOf(app.mails()[1]!.raw)).toBe(messageIdOf(mail!.raw))
  })

  test('is not sent to those who said no, and tells why', async () => {
    await using app = await start()
    const yes = await makeAudience(app, ['Zoe'])
    const no = await makeAudience(app, ['Ion'], {})
    const campaign = await app.as('maria').post('/communication/campaigns', {
      name: 'Both',
      target_audience: { list_ids: [yes, no] },
      channels: [{ type: 'email', config: { subject: 'Hello' }, content_template: content }],
    })
    await move(app, campaign.body.id, 'launch')
    await app.drain()
    expect(app.mails().map((mail) => mail.to)).toEqual(['zoe@guests.example'])
    const rows = await ledger(app, campaign.body.id)
    expect(rows.find((row) => row.email === 'ion@guests.example')).toMatchObject({
      state: 'skipped',
      reason: 'no_consent',
    })
  })

  test('honours a "no" that came after the audience was frozen, and "send to the rest" a later "yes"', async () => {
    await using app = await start()
    const id = await makeCampaign(app, await makeAudience(app, ['Zoe', 'Ion']))
    await move(app, id, 'launch')
    const ion = (await app.as('maria').get('/contacts?search=ion@guests.example')).body.data[0]
    await app.as('maria').post(`/contacts/${ion.id}/unsubscribe`, { type: 'all' })
    await app.drain()
    expect(app.mails().map((mail) => mail.to)).toEqual(['zoe@guests.example'])
    expect((await app.as('maria').post(`/contacts/${ion.id}/subscribe`, { type: 'marketing' })).status).toBe(200)
    const rest = await move(app, id, 'send-to-rest')
    expect([rest.status, rest.body.requeued]).toEqual([202, 1])
    await app.drain()
    expect(app.mails().map((mail) => mail.to)).toEqual(['zoe@guests.example', 'ion@guests.example'])
    expect((await show(app, id)).status).toBe('completed')
  })

  test('stops when paused, goes on when resumed, and ends when canceled', async () => {
    await using app = await start()
    const id = await makeCampaign(app, await makeAudience(app, ['Zoe', 'Ion']))
    await move(app, id, 'launch')
    expect((await move(app, id, 'pause')).body.status).toBe('paused')
    await app.drain()
    expect(app.mails()).toHaveLength(0)
    await move(app, id, 'resume')
    await app.drain()
    expect(app.mails()).toHaveLength(2)
    const other = await makeCampaign(app, await makeAudience(app, ['Eve']))
    await move(app, other, 'launch')
    await move(app, other, 'pause')
    await app.drain()
    expect((await move(app, other, 'cancel')).body.status).toBe('canceled')
    expect(await ledger(app, other)).toMatchObject([{ state: 'skipped', reason: 'canceled' }])
  })

  test('waits for its time, and a changed mind is heard', async () => {
    await using app = await start()
    const id = await makeCampaign(app, await makeAudience(app, ['Zoe']))
    const tomorrow = new Date(Date.now() + 86_400_000).toISOString()
    const scheduled = await move(app, id, 'launch', { send_at: tomorrow, timezone: 'Europe/Paris' })
    expect(scheduled.body).toMatchObject({ status: 'scheduled', scheduled_at: tomorrow })
    await app.drain()
    expect(app.mails()).toHaveLength(0)
    expect((await move(app, id, 'pause')).body.status).toBe('draft')
  })

  test('says what is missing before it can go out', async () => {
    await using app = await start()
    const bare = await app.as('maria').post('/communication/campaigns', { name: 'Bare', channels: [{ type: 'email' }] })
    const refused = await move(app, bare.body.id, 'launch')
    expect([refused.status, refused.body.code]).toEqual([422, 'campaign_incomplete'])
    expect(refused.body.errors.map((error: { pointer: string }) => error.pointer)).toEqual([
      '/channels/0/config/subject',
      '/channels/0/content_template',
    ])
    expect((await app.as('victor').post('/communication/campaigns', { name: 'No' })).status).toBe(403)
    expect((await app.stranger.get(`/communication/campaigns/${bare.body.id}`)).status).toBe(404)
  })
})

describe('the delivery engine over real SMTP', () => {
  test('tries again what was put off, gives up on what does not exist, and suppresses it', async () => {
    await using sink = await startSmtpSink({
      rules: [
        { address: /zoe@/, at: 'rcpt', answer: '450 4.2.0 come back later', times: 1 },
        { address: /ion@/, at: 'rcpt', answer: '550 5.1.1 no such user' },
        { address: /max@/, at: 'rcpt', answer: '552 5.2.2 mailbox full' },
      ],
    })
    await using app = await start({ SMTP_URL: sink.url })
    const id = await makeCampaign(app, await makeAudience(app, ['Zoe', 'Ion', 'Max', 'Eve']))
    await move(app, id, 'launch')
    await app.drain()
    expect((await show(app, id)).counts).toMatchObject({ sent: 1, retry: 1, failed: 2 })
    await letRetriesFallDue(app)
    await app.drain()
    expect((await show(app, id)).counts).toMatchObject({ sent: 2, retry: 0, failed: 2 })
    expect(Object.fromEntries(sink.byRecipient)).toEqual({ 'zoe@guests.example': 1, 'eve@guests.example': 1 })
    const statusOf = async (name: string) =>
      (await app.as('maria').get(`/contacts?search=${name}@guests.example`)).body.data[0].status
    expect([await statusOf('ion'), await statusOf('max')]).toEqual(['bounced', 'active'])
    const next = await makeCampaign(app, (await app.as('maria').get('/lists')).body.data[0].id)
    await move(app, next, 'launch')
    await app.drain()
    expect((await ledger(app, next)).find((row) => row.email === 'ion@guests.example')).toMatchObject({
      state: 'skipped',
      reason: 'bounced',
    })
  })

  test('pauses the campaign when the sender is refused, and blames no contact', async () => {
    await using sink = await startSmtpSink({
      rules: [
        {
          address: /.*/,
          at: 'message',
          answer: '550 5.7.515 Access denied, sender does not meet the required authentication level',
        },
      ],
    })
    await using app = await start({ SMTP_URL: sink.url })
    const id = await makeCampaign(app, await makeAudience(app, ['Zoe', 'Ion', 'Eve']))
    await move(app, id, 'launch')
    await app.drain()
    const campaign = await show(app, id)
    expect(campaign.status).toBe('paused')
    expect(campaign.pause_reason).toContain('5.7.515')
    expect(campaign.counts).toMatchObject({ failed: 0, sent: 0 })
    expect((await app.as('maria').get('/contacts?status=bounced')).body.total).toBe(0)
  })

  test('two engines share the work, and nobody gets it twice', async () => {
    await using sink = await startSmtpSink()
    await using app = await start({ SMTP_URL: sink.url })
    const names = Array.from({ length: 150 }, (_, index) => `guest${index}`)
    const list = await app.as('maria').post('/lists', { name: 'Many' })
    await app.inTx(async (tx) => {
      await sql`insert into contacts.contacts (workspace_id, id, email, first_name, marketing_subscribed)
        select ${tx.workspaceId}::uuid, gen_random_uuid(), name || '@guests.example', name, true
        from unnest(${names}::text[]) as name`.execute(tx.sql)
      await sql`insert into contacts.list_members (workspace_id, list_id, contact_id)
        select workspace_id, ${list.body.id}::uuid, id from contacts.contacts`.execute(tx.sql)
    })
    const id = await makeCampaign(app, list.body.id)
    await move(app, id, 'launch')
    const second = createEngine(app.app.runtime)
    await app.drain()
    await Promise.all([second.drain(), app.drain()])
    await second.stop()
    expect(sink.accepted).toBe(150)
    expect(Math.max(...sink.byRecipient.values())).toBe(1)
    expect((await show(app, id)).counts).toMatchObject({ sent: 150, total: 150 })
  })

  test('keeps to the rate of a recipient domain', async () => {
    await using sink = await startSmtpSink()
    await using app = await start({ SMTP_URL: sink.url, SEND_RATE_PER_DOMAIN_PER_SECOND: '2' })
    const id = await makeCampaign(app, await makeAudience(app, ['Zoe', 'Ion', 'Max', 'Eve']))
    await move(app, id, 'launch')
    await app.drain()
    expect((await show(app, id)).counts).toMatchObject({ sent: 2, retry: 2 })
  })

  test('takes back what a dead worker held: claimed is safe, handed over is counted as in doubt', async () => {
    await using sink = await startSmtpSink()
    await using app = await start({ SMTP_URL: sink.url })
    const id = await makeCampaign(app, await makeAudience(app, ['Zoe', 'Ion']))
    await move(app, id, 'launch')
    await app.app.worker.drain()
    await app.inTx((tx) =>
      sql`update communication.deliveries
          set state = case email when 'zoe@guests.example' then 'claimed' else 'handed_over' end,
              claim = gen_random_uuid(), lease_until = now() - interval '1 second'`.execute(tx.sql),
    )
    await app.inTx((tx) => sql`update communication.campaigns set status = 'active'`.execute(tx.sql))
    await app.inTx((tx) =>
      sql`insert into communication.sending (workspace_id, campaign_id) values (${tx.workspaceId}, ${id})`.execute(
        tx.sql,
      ),
    )
    await app.drain()
    const rows = await ledger(app, id)
    expect(
      rows
        .map((row) => [row.email, row.state, row.ambiguous])
        .toSorted(([a], [b]) => String(a).localeCompare(String(b))),
    ).toEqual([
      ['ion@guests.example', 'sent', 1],
      ['zoe@guests.example', 'sent', 0],
    ])
  })
})

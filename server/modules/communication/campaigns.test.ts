import { describe, expect, test } from 'vitest'
import { start, type TestApp } from '#testing/start.ts'

const content = '<p>Bonjour {{contact.first_name}}, <a href="https://moulin.example/menu">le menu</a></p>'

async function makeAudience(app: TestApp, names: string[], fields: object = { marketing_subscribed: true }): Promise<string> {
  const maria = app.as('maria')
  const list = await maria.post('/lists', { name: `Guests ${names.join(' ')}` })
  const ids: string[] = []
  for (const name of names) {
    const reply = await maria.post('/contacts', { email: `${name.toLowerCase()}@guests.example`, first_name: name, ...fields })
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
    channels: [{ type: 'email', config: { subject: 'Hello {{contact.first_name}}', ...config }, content_template: content }],
  })
  expect(reply.status).toBe(201)
  return reply.body.id
}

describe('a campaign', () => {
  test('reaches each recipient exactly once, and the ledger and timelines say so', async () => {
    await using app = await start()
    const listId = await makeAudience(app, ['Zoé', 'Ion', 'Eve'])
    const id = await makeCampaign(app, listId)
    await app.drainEvents()
    const launched = await app.as('maria').post(`/communication/campaigns/${id}/launch`)
    expect([launched.status, launched.body.status]).toEqual([202, 'active'])
    const events = await app.drainEvents()
    expect(app.mails().map((mail) => mail.to).toSorted()).toEqual(['eve@guests.example', 'ion@guests.example', 'zoe@guests.example'].toSorted())
    const { body } = await app.as('maria').get(`/communication/campaigns/${id}`)
    expect(body.status).toBe('completed')
    expect(body.counts).toMatchObject({ total: 3, sent: 3, queued: 0, claimed: 0, handed_over: 0 })
    expect(events).toEqual(['campaign.launched', 'email.sent', 'email.sent', 'email.sent', 'campaign.completed'])
  })
})

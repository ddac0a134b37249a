/** Attacks by merging and linking: a ticket that somebody may not see is not reached through one that they may. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newId } from '#platform/ids.ts'
import { customerOf } from '#testing/customer.ts'
import { start, type Client, type TestApp } from '#testing/start.ts'

let app: TestApp
beforeAll(async () => {
  app = await start()
})
afterAll(() => app[Symbol.asyncDispose]())

const question = { subject: 'Late parcel', description: 'Where is it?' }
async function open(client: Client, more: object): Promise<string> {
  const made = await client.post('/tickets', { ...question, ...more })
  expect(made.status, made.text).toBe(201)
  return made.body.id
}

test('11, 13: a hidden ticket, or one of another workspace, is neither merged nor linked, nor watched', async () => {
  const [agnes, adrian] = [app.as('agnes'), app.as('adrian')]
  const wanda = await customerOf(app, 'wanda', {
    id: newId(),
    email: 'wanda@moulin.example',
    name: 'Wanda',
    role: 'agent',
  })
  await wanda.get('/tickets')
  const own = await open(adrian, { contact_email: 'a@guest.example' })
  const hidden = await open(adrian, { contact_email: 'b@guest.example', subject: 'quokka' })
  const foreign = await open(app.stranger, { contact_email: 'c@guest.example', subject: 'quokka' })
  expect((await adrian.post(`/tickets/${hidden}/assign`, { agent_id: wanda.id })).status).toBe(200)
  const free = await open(adrian, { contact_email: 'd@guest.example' })
  const linked = await agnes.post(`/tickets/${own}/links`, { ticket_id: free, kind: 'related' })
  expect(linked.status, linked.text).toBe(201)
  for (const id of [hidden, foreign, newId()]) {
    for (const [method, path, body] of [
      ['POST', `/tickets/${own}/merge`, { duplicate_ids: [id], different_requesters: true }],
      ['POST', `/tickets/${id}/merge`, { duplicate_ids: [own], different_requesters: true }],
      ['POST', `/tickets/${own}/links`, { ticket_id: id, kind: 'related' }],
      ['POST', `/tickets/${id}/links`, { ticket_id: own, kind: 'related' }],
      ['POST', `/tickets/${id}/presence`, { state: 'viewing' }],
      ['GET', `/tickets/${id}/presence`],
      ['DELETE', `/tickets/${id}/presence`],
      ['GET', `/tickets/${id}/links`],
      ['GET', `/tickets/${id}/merges`],
    ] as const) {
      const refused = await agnes.request(method, path, body)
      const isNamedInBody = path.includes(own)
      expect(isNamedInBody ? [404, 422] : [404], `${method} ${path}: ${refused.text}`).toContain(refused.status)
      expect(refused.text).not.toMatch(/quokka/)
    }
  }
  expect((await adrian.get(`/tickets/${hidden}`)).body.status).toBe('assigned')
  expect((await adrian.get(`/tickets/${own}`)).body.status).toBe('open')
  expect((await app.stranger.get(`/tickets/${foreign}`)).body.status).toBe('open')
})

test('5: the token of a ticket that was merged into somebody else’s reads nothing of theirs', async () => {
  const adrian = app.as('adrian')
  const main = await open(adrian, { contact_email: 'main@guest.example', subject: 'quokka', description: 'quokka' })
  await adrian.post(`/tickets/${main}/messages`, { content: 'quokka' })
  const opened = await app.anonymous.post('/public/tickets', { ...question, email: 'other@guest.example' })
  const { id, ticket_number: number, access_token: token } = opened.body as Record<string, string>
  const headers = { 'x-ticket-token': token! }
  expect((await app.anonymous.get(`/public/tickets/${number}`, headers)).status).toBe(200)
  const merged = await adrian.post(`/tickets/${main}/merge`, { duplicate_ids: [id], different_requesters: true })
  expect(merged.status, merged.text).toBe(200)
  const said = await app.anonymous.post(`/public/tickets/${id}/messages`, { content: 'And mine?' }, headers)
  expect(said.status).toBe(404)
  for (const address of [number, id, main, merged.body.ticket_number]) {
    const reply = await app.anonymous.get(`/public/tickets/${address}`, headers)
    expect(reply.status, address).toBe(404)
    expect(reply.text, address).not.toMatch(/quokka|main@/)
  }
})

import assert from 'node:assert/strict'
import fc from 'fast-check'
import { test } from 'vitest'
import { customerOf } from '#testing/customer.ts'
import { start, type Client } from '#testing/start.ts'
import { faultsOf, render, variableNames, type Values } from './variables.ts'

const where = '/tickets/canned-replies'
const hello = {
  shortcut: 'bonjour',
  title: 'Réponse de bienvenue',
  content: 'Bonjour {{contact.first_name}}, {{ticket.ticket_number}} est à nous. {{agent.name}}, {{workspace.name}}',
}

async function save(client: Client, more: object = {}) {
  const reply = await client.post(where, { ...hello, ...more })
  assert.equal(reply.status, 201, reply.text)
  return reply.body
}

test('an answer is saved once, found by any of its words, and said with the values of a ticket', async () => {
  await using app = await start()
  const agnes = app.as('agnes')
  const reply = await save(agnes, { tags: ['Accueil', 'accueil'], category: 'Général', language: 'fr' })
  assert.deepEqual(reply.tags, ['Accueil'])
  await save(agnes, { shortcut: '返品', title: '返品について', content: '返品は30日以内です。' })
  const found = async (query: string) =>
    (await agnes.get(`${where}?${query}`)).body.data.map((one: { shortcut: string }) => one.shortcut)
  assert.deepEqual(await found('search=BIENVENUE reponse'), ['bonjour'])
  assert.deepEqual(await found('search=返品'), ['返品'])
  assert.deepEqual(await found('search=accueil'), ['bonjour'])
  assert.deepEqual(await found('search=100%25'), [])
  assert.deepEqual(await found('category=general&tag=ACCUEIL&language=FR&mine=true'), ['bonjour'])
  assert.deepEqual(await found('language=en'), ['返品'])
  const first = await agnes.get(`${where}?limit=1`)
  assert.equal(first.body.total, 2)
  assert.deepEqual(await found(`limit=1&cursor=${first.body.next_cursor}`), ['返品'])

  const contact = { email: 'zoe@x.example', first_name: 'Zoé {{agent.name}}', company: '' }
  assert.equal((await app.as('maria').post('/contacts', contact)).status, 201)
  const question = { subject: 'S', description: 'D', contact_email: 'zoe@x.example' }
  const ticket = (await agnes.post('/tickets', question)).body
  const preview = await agnes.post(`/tickets/${ticket.id}/canned-replies/${reply.id}/preview`)
  assert.equal(preview.status, 200, preview.text)
  const { name } = (await agnes.get('/workspace')).body
  assert.deepEqual(preview.body, {
    content: `Bonjour Zoé {{agent.name}}, ${ticket.ticket_number} est à nous. Agnes, ${name}`,
    missing: [],
  })
  assert.equal((await agnes.get(`/tickets/${ticket.id}/messages`)).body.total, 0, 'nothing was sent')
  const gaps = await save(agnes, {
    shortcut: 'gaps',
    content: '{{default contact.company "your company"}}: {{ contact.phone }}!',
  })
  const gone = await agnes.post(`/tickets/${ticket.id}/canned-replies/${gaps.id}/preview`)
  assert.deepEqual(gone.body, { content: 'your company: !', missing: ['contact.phone'] })
})

test('a variable that does not exist is refused, each at its place', async () => {
  await using app = await start()
  const agnes = app.as('agnes')
  const wrong = await agnes.post(where, { ...hello, content: '{{contact.shoe}} {{#each}} {{agent.name}} {{open' })
  assert.equal(wrong.status, 422)
  assert.deepEqual(
    wrong.body.errors.map((one: { pointer: string; code: string }) => [one.pointer, one.code]),
    [
      ['/content', 'unknown_variable'],
      ['/content', 'bad_variable'],
      ['/content', 'bad_variable'],
    ],
  )
  const reply = await save(agnes)
  assert.equal((await agnes.patch(`${where}/${reply.id}`, { content: '{{__proto__}}' })).status, 422)
  assert.equal((await agnes.patch(`${where}/${reply.id}`, { colour: 'red' })).status, 422)
  for (const shortcut of ['two words', 'a/b', '']) {
    assert.equal((await agnes.post(where, { ...hello, shortcut })).status, 422)
  }
})

test('a shortcut is one of a kind; a deleted reply comes back, unless its shortcut went', async () => {
  await using app = await start()
  const agnes = app.as('agnes')
  const reply = await agnes.post(where, hello)
  const path = `${where}/${reply.body.id}`
  assert.equal(reply.headers.location, `/api/v1${path}`)
  const taken = await app.as('adrian').post(where, { ...hello, shortcut: 'BONJOUR' })
  assert.deepEqual([taken.status, taken.body.code, taken.body.errors[0].pointer], [409, 'shortcut_taken', '/shortcut'])
  const both = await Promise.all([1, 2].map(() => agnes.post(where, { ...hello, shortcut: 'race' })))
  assert.deepEqual(
    both.map(({ status }) => status).toSorted((a, b) => a - b),
    [201, 409],
  )
  const stale = { 'if-match': String(reply.headers.etag) }
  assert.equal((await agnes.put(path, { title: 'Two' }, stale)).headers.etag, '"v2"')
  assert.equal((await agnes.put(path, { title: 'Three' }, stale)).status, 412)
  assert.equal((await agnes.delete(path)).status, 200)
  assert.equal((await agnes.get(path)).status, 404)
  assert.deepEqual((await agnes.get(`${where}?deleted=true`)).body.total, 1)
  const other = await save(agnes)
  assert.equal((await agnes.post(`${path}/restore`)).status, 409)
  await agnes.patch(`${where}/${other.id}`, { shortcut: 'autre' })
  assert.deepEqual((await agnes.post(`${path}/restore`)).body.title, 'Two')
  assert.equal((await agnes.get(path)).status, 200)
})

test('a private one is nobody else’s to know of; a shared one is its owner’s and the admins’ to change', async () => {
  await using app = await start()
  const [agnes, adrian, stranger] = [app.as('agnes'), app.as('adrian'), app.stranger]
  const reply = await save(agnes)
  const path = `${where}/${reply.id}`
  const ticket = (await agnes.post('/tickets', { subject: 'S', description: 'D', contact_email: 'a@x.example' })).body
  for (const other of [adrian, stranger]) {
    assert.equal((await other.get(path)).status, 404)
    assert.equal((await other.patch(path, { title: 'x' })).status, 404)
    assert.equal((await other.delete(path)).status, 404)
    assert.equal((await other.post(`${path}/restore`)).status, 404)
    assert.equal((await other.post(`/tickets/${ticket.id}/canned-replies/${reply.id}/preview`)).status, 404)
    assert.equal((await other.get(where)).body.total, 0)
  }
  await agnes.patch(path, { visibility: 'workspace' })
  assert.deepEqual((await adrian.get(path)).body.may_change, true)
  assert.equal((await stranger.get(path)).status, 404)
  const bea = await customerOf(app, 'bea', {
    id: '01980000-0000-7000-8000-0000000000be',
    email: 'bea@moulin.example',
    name: 'Bea',
    role: 'agent',
  })
  assert.deepEqual((await bea.get(path)).body.may_change, false)
  assert.equal((await bea.patch(path, { title: 'x' })).status, 403)
  assert.equal((await adrian.patch(path, { title: 'Ours' })).body.title, 'Ours')
  assert.equal((await adrian.patch(path, { visibility: 'private' })).status, 422)
  // Of a ticket that one does not see, no preview tells anything.
  await adrian.post(`/tickets/${ticket.id}/assign`, { agent_id: app.world.people.agnes.id })
  assert.equal((await bea.post(`/tickets/${ticket.id}/canned-replies/${reply.id}/preview`)).status, 404)
  for (const outside of [app.as('maria'), app.as('victor'), await customerOf(app, 'chloe')]) {
    assert.equal((await outside.get(where)).status, 403)
  }
})

test('whatever the text, it is refused or rendered, and values are never read as variables', () => {
  const values = Object.fromEntries(variableNames.map((name) => [name, `{{${name}}}`])) as Values
  const part = fc.oneof(
    fc.string(),
    fc.constantFrom('{{', '}}', '"', 'default ', ' '),
    fc.constantFrom(...variableNames).map((name) => `{{${name}}}`),
  )
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      const content = parts.join('')
      const faults = faultsOf(content)
      const rendered = render(content, values)
      if (!content.includes('{{')) assert.deepEqual([faults, rendered.content], [[], content])
      // Every value is its own variable, so that a text without faults and without other blanks says itself again.
      const plain = content.replaceAll(
        /\{\{\s*default\s+([\w.]+)\s+"[^"{}]*"\s*\}\}|\{\{\s*([\w.]+)\s*\}\}/g,
        '{{$1$2}}',
      )
      if (!faults.length) assert.equal(rendered.content, plain)
    }),
  )
})

import { expect, test } from 'vitest'
import { start } from '#testing/start.ts'

const promo = {
  name: 'Promo',
  subject: '{{promo_title}} - Offre spéciale',
  body_html: "<h1>{{promo_title}}</h1><p>Cher(e) {{customer.first_name}},</p><a href='{{booking_link}}'>Réservez</a>",
}

test('templates are written, read, changed, copied, deleted and restored', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const made = await maria.post('/communication/templates', promo)
  expect(made.status).toBe(201)
  expect(made.body).toMatchObject({ ...promo, body_text: null })
  expect(made.headers).toMatchObject({ etag: '"v1"', location: `/api/v1/communication/templates/${made.body.id}` })
  const path = `/communication/templates/${made.body.id}`

  const changed = await maria.patch(path, { subject: 'Bonjour {{contact.first_name}}' }, { 'if-match': '"v1"' })
  expect([changed.status, changed.headers.etag, changed.body.name]).toEqual([200, '"v2"', 'Promo'])
  expect((await maria.put(path, { subject: 'x' }, { 'if-match': '"v1"' })).status).toBe(412)
  expect((await maria.get(path)).body).toMatchObject({
    subject: 'Bonjour {{contact.first_name}}',
    body_html: promo.body_html,
  })

  expect((await maria.post(`${path}/duplicate`)).body.name).toBe('Promo (2)')
  expect((await maria.post(`${path}/duplicate`)).body.name).toBe('Promo (3)')
  expect((await maria.post('/communication/templates', { name: 'PROMO' })).body.code).toBe('name_taken')

  expect((await maria.delete(path)).status).toBe(200)
  expect((await maria.get(path)).status).toBe(404)
  expect((await maria.get('/communication/templates?deleted=true')).body.total).toBe(1)
  expect((await maria.post('/communication/templates', { name: 'promo' })).status).toBe(201)
  expect((await maria.post(`${path}/restore`)).body.code).toBe('name_taken')

  const page = (await maria.get('/communication/templates?sort=name&limit=2')).body
  expect(page.data.map((row: { name: string }) => row.name)).toEqual(['promo', 'Promo (2)'])
  const rest = (await maria.get(`/communication/templates?sort=name&limit=2&cursor=${page.next_cursor}`)).body
  expect([rest.data.length, rest.next_cursor, rest.total]).toEqual([1, null, 3])
  expect((await maria.get('/communication/templates?search=BONJOUR')).body.total).toBe(2)
})

test('only what can be rendered is kept; each fault names its part and line', async () => {
  await using app = await start()
  const reply = await app
    .as('maria')
    .post('/communication/templates', { name: 'x', subject: '{{> x}}', body_html: '<p>\n{{#if a}}' })
  expect(reply.status).toBe(422)
  expect(reply.body).toMatchObject({
    code: 'invalid_template',
    errors: [
      { pointer: '/subject', code: 'template', detail: 'Line 1: Partials ({{> …}}) are not available.' },
      { pointer: '/body_html', code: 'template' },
    ],
  })
  const object = { name: 'x', body_html: { type: 'Program', body: [] } }
  expect((await app.as('maria').post('/communication/templates', object)).status).toBe(422)
  expect((await app.as('maria').post('/communication/templates', { name: 'x', version: 3 })).status).toBe(422)
})

test('a preview shows a contact’s data, or tells what is wrong', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const id = await app.inTx(async (tx) => {
    const row = {
      workspace_id: tx.workspaceId,
      id: '0190a000-0000-7000-8000-000000000001',
      email: 'zoe@example.org',
      first_name: 'Zoé',
    }
    await tx.sql.insertInto('contacts.contacts').values(row).execute()
    return row.id
  })
  const shown = await maria.post('/communication/templates/preview', {
    subject: promo.subject,
    body_html: `${promo.body_html}<script>alert(1)</script>{{workspace.name}} {{currency 5}}`,
    contact_id: id,
    data: { promo_title: 'Soirée', booking_link: 'https://moulin.example/', contact: 'not this one' },
    language: 'fr',
  })
  expect(shown.body).toMatchObject({ subject: 'Soirée - Offre spéciale', errors: [] })
  expect(shown.body.html).toContain('Cher(e) Zoé,')
  expect(shown.body.html).toMatch(/Le Vieux Moulin 5,00/)
  expect(shown.body.html).not.toContain('script')
  expect(shown.body.text).toContain('Réservez [https://moulin.example/]')

  const draft = await maria.post('/communication/templates/preview', { subject: 's', body_html: '{{#each' })
  expect(draft.body).toMatchObject({ html: '', errors: [{ pointer: '/body_html', line: 1 }] })
  const bomb = {
    body_html: '{{#each a}}{{#each ../a}}{{#each ../a}}x{{/each}}{{/each}}{{/each}}',
    data: { a: Array.from({ length: 900 }, () => 1) },
  }
  expect((await maria.post('/communication/templates/preview', bomb)).body.errors[0].detail).toMatch(/too often/)
  expect((await app.stranger.post('/communication/templates/preview', { contact_id: id })).status).toBe(404)
})

test('who may do what', async () => {
  await using app = await start()
  const { id } = (await app.as('maria').post('/communication/templates', promo)).body
  expect((await app.as('victor').get(`/communication/templates/${id}`)).status).toBe(200)
  expect((await app.as('victor').post('/communication/templates', promo)).status).toBe(403)
  expect((await app.as('agnes').delete(`/communication/templates/${id}`)).status).toBe(403)
  expect((await app.anonymous.get('/communication/templates')).status).toBe(401)
  for (const [method, path] of [
    ['get', ''],
    ['patch', ''],
    ['delete', ''],
    ['post', '/duplicate'],
    ['post', '/restore'],
  ] as const) {
    const reply = await app.stranger[method](
      `/communication/templates/${id}${path}`,
      method === 'patch' ? {} : undefined,
    )
    expect(reply.status, `${method} ${path}`).toBe(404)
  }
})

test('the module tells how it is', async () => {
  await using app = await start()
  expect((await app.as('victor').get('/communication/status')).body).toEqual({
    status: 'ok',
    email: { transport: 'sandbox', reachable: true, reason: null },
    campaigns: { active: 0, scheduled: 0, paused: 0 },
    deliveries: { waiting: 0 },
  })
})

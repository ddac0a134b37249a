// What an admin keeps: calendars and policies, their faults, and their way back from deletion.
import { expect, test } from 'vitest'
import { start } from '#testing/start.ts'

const hours = { monday: [{ from: '09:00', to: '17:00' }] }
const office = { name: 'Office', timezone: 'Europe/Paris', hours }
const usual = { name: 'Usual', targets: { normal: { first_response: 60 } } }

test('a calendar is made, read, changed with its version, listed, deleted and brought back', async () => {
  await using app = await start()
  const adrian = app.as('adrian')
  const made = await adrian.post('/tickets/calendars', { ...office, holidays: [{ day: '12-25', name: 'Noël' }] })
  expect(made.status, made.text).toBe(201)
  const path = `/tickets/calendars/${made.body.id}`
  expect(made.headers.location).toBe(`/api/v1${path}`)
  expect((await app.as('agnes').get(path)).body).toEqual(made.body)
  const renamed = await adrian.patch(path, { name: 'Shop' }, { 'if-match': String(made.headers.etag) })
  expect(renamed.body).toMatchObject({ name: 'Shop', hours, holidays: [{ day: '12-25', name: 'Noël' }] })
  expect((await adrian.put(path, { name: 'Late' }, { 'if-match': String(made.headers.etag) })).status).toBe(412)
  await adrian.post('/tickets/calendars', { ...office, name: 'Élysée' })
  const found = await app.as('agnes').get('/tickets/calendars?search=elysee')
  expect(found.body).toMatchObject({ total: 1, next_cursor: null, data: [{ name: 'Élysée' }] })
  const first = await app.as('agnes').get('/tickets/calendars?limit=1&sort=-name')
  expect(first.body).toMatchObject({ total: 2, data: [{ name: 'Shop' }] })
  const second = await app.as('agnes').get(`/tickets/calendars?limit=1&sort=-name&cursor=${first.body.next_cursor}`)
  expect(second.body).toMatchObject({ next_cursor: null, data: [{ name: 'Élysée' }] })
  expect((await adrian.delete(path)).status).toBe(200)
  expect((await adrian.get(path)).status).toBe(404)
  expect((await adrian.get('/tickets/calendars?deleted=true')).body).toMatchObject({ total: 1 })
  expect((await adrian.post(`${path}/restore`)).body).toMatchObject({ name: 'Shop', deleted_at: null })
})

test('a name is taken once; one that came into use meanwhile stands in the way of coming back', async () => {
  await using app = await start()
  const adrian = app.as('adrian')
  const first = await adrian.post('/tickets/calendars', office)
  const again = await adrian.post('/tickets/calendars', { ...office, name: ' OFFICE ' })
  expect(again.body).toMatchObject({ status: 409, code: 'name_taken', errors: [{ pointer: '/name' }] })
  await adrian.delete(`/tickets/calendars/${first.body.id}`)
  expect((await adrian.post('/tickets/calendars', office)).status).toBe(201)
  expect((await adrian.post(`/tickets/calendars/${first.body.id}/restore`)).status).toBe(409)
})

test('a calendar by which a policy counts stays, and one that is gone is not counted by', async () => {
  await using app = await start()
  const adrian = app.as('adrian')
  const calendar = await adrian.post('/tickets/calendars', office)
  const path = `/tickets/calendars/${calendar.body.id}`
  const policy = await adrian.post('/tickets/sla-policies', { ...usual, calendar_id: calendar.body.id })
  expect((await adrian.delete(path)).body).toMatchObject({ status: 409, code: 'calendar_in_use' })
  await adrian.delete(`/tickets/sla-policies/${policy.body.id}`)
  expect((await adrian.delete(path)).status).toBe(200)
  const late = await adrian.post('/tickets/sla-policies', { ...usual, name: 'Other', calendar_id: calendar.body.id })
  expect(late.body).toMatchObject({ status: 422, errors: [{ pointer: '/calendar_id', code: 'not_found' }] })
  const back = await adrian.post(`/tickets/sla-policies/${policy.body.id}/restore`)
  expect(back.body).toMatchObject({ status: 409, code: 'calendar_deleted' })
})

test.each<[string, object, string, string]>([
  ['a zone that is none', { timezone: 'Europe/Atlantis' }, '/timezone', 'unknown_timezone'],
  ['an offset', { timezone: '+01:00' }, '/timezone', 'unknown_timezone'],
  ['never open', { hours: {} }, '/hours', 'never_open'],
  [
    'the same hours twice',
    { hours: { monday: [...hours.monday, { from: '16:00', to: '18:00' }] } },
    '/hours/monday',
    'overlap',
  ],
  [
    'a night that reaches into the next morning’s hours',
    { hours: { sunday: [{ from: '22:00', to: '10:00' }], ...hours } },
    '/hours/sunday',
    'overlap',
  ],
  ['a day that is none', { holidays: [{ day: '2026-02-30', name: 'X' }] }, '/holidays/0/day', 'format'],
  [
    'a day twice',
    {
      holidays: [
        { day: '05-01', name: 'X' },
        { day: '05-01', name: 'Y' },
      ],
    },
    '/holidays/1/day',
    'duplicate',
  ],
  [
    'a holiday over midnight',
    { holidays: [{ day: '05-01', name: 'X', hours: [{ from: '22:00', to: '02:00' }] }] },
    '/holidays/0/hours',
    'over_midnight',
  ],
])('%s is no calendar', async (_, fault, pointer, code) => {
  await using app = await start()
  const reply = await app.as('adrian').post('/tickets/calendars', { ...office, ...fault })
  expect(reply.status).toBe(422)
  expect(reply.body.errors).toMatchObject([{ pointer, code }])
})

test('policies: faults are named, only admins change them, the order is by position', async () => {
  await using app = await start()
  const adrian = app.as('adrian')
  const fault = async (more: object): Promise<string> => {
    const reply = await adrian.post('/tickets/sla-policies', { ...usual, ...more })
    expect(reply.status, reply.text).toBe(422)
    return reply.body.errors[0].pointer
  }
  expect(await fault({ targets: {} })).toBe('/targets')
  expect(await fault({ targets: { normal: { first_response: null } } })).toBe('/targets')
  expect(await fault({ targets: { normal: { first_response: 0 } } })).toBe('/targets/normal/first_response')
  expect(
    await fault({ conditions: { contact: { filter: { all: [{ field: 'nothing', op: 'eq', value: 1 }] } } } }),
  ).toMatch('/conditions/contact/filter')
  expect(await fault({ conditions: { weather: 'rain' } })).toMatch('/conditions')
  expect((await app.as('agnes').post('/tickets/sla-policies', usual)).status).toBe(403)
  expect((await app.as('victor').get('/tickets/sla-policies')).status).toBe(403)
  await adrian.post('/tickets/sla-policies', { ...usual, position: 9 })
  const made = await adrian.post('/tickets/sla-policies', { ...usual, name: 'First', position: 1 })
  const list = await app.as('agnes').get('/tickets/sla-policies')
  expect(list.body.data.map(({ name }: { name: string }) => name)).toEqual(['First', 'Usual'])
  const path = `/tickets/sla-policies/${made.body.id}`
  expect((await adrian.patch(path, { is_active: false }, { 'if-match': '"v7"' })).status).toBe(412)
  expect((await adrian.patch(path, { is_active: false })).body).toMatchObject({ is_active: false, name: 'First' })
  expect((await adrian.get('/tickets/sla-policies?is_active=false')).body).toMatchObject({ total: 1 })
})

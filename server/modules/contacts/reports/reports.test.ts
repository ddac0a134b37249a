// Reports: what they count, by what, over which days, and what is refused.
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { start, type Client, type TestApp, type TestReply } from '#testing/start.ts'
import { runReport } from './run.ts'

interface Someone {
  email: string
  source?: string | null
  company?: string | null
  score?: number
  value?: string
  bookings?: number
  created?: string
  tags?: string[]
  custom_fields?: Record<string, unknown>
}

/** Straight into the table: figures and dates are none that a client writes. */
async function fill(app: TestApp, people: Someone[]): Promise<void> {
  await app.inTx(async (tx) => {
    for (const [index, one] of people.entries()) {
      const { id } = await tx.sql
        .insertInto('contacts.contacts')
        .values({
          workspace_id: tx.workspaceId,
          id: `018f0000-0000-7000-8000-${String(index).padStart(12, '0')}`,
          email: one.email,
          source: one.source ?? null,
          company: one.company ?? null,
          engagement_score: one.score ?? 0,
          lifetime_value: one.value ?? '0',
          total_bookings: one.bookings ?? 0,
          created_at: new Date(one.created ?? Date.now()),
          custom_fields: JSON.stringify(one.custom_fields ?? {}),
        })
        .returning('id')
        .executeTakeFirstOrThrow()
      for (const name of one.tags ?? []) {
        const { id: tagId } = await tx.sql
          .selectFrom('contacts.tags')
          .select('id')
          .where('name', '=', name)
          .executeTakeFirstOrThrow()
        await tx.sql
          .insertInto('contacts.contact_tags')
          .values({ workspace_id: tx.workspaceId, tag_id: tagId, contact_id: id })
          .execute()
      }
    }
  })
}

const guests: Someone[] = [
  {
    email: 'a@moulin.fr',
    source: 'Web',
    company: 'Moulin',
    score: 5,
    value: '10.10',
    bookings: 2,
    tags: ['vip', 'old'],
  },
  { email: 'b@moulin.fr', source: 'web', company: 'MOULIN', score: 15, value: '20.20', tags: ['vip'] },
  { email: 'c@ferme.fr', source: 'Fair', company: 'Ferme', score: 60, value: '0', bookings: 1 },
  { email: 'd@ferme.fr', score: 25, value: '5.05' },
]

async function world(app: TestApp): Promise<Client> {
  const maria = app.as('maria')
  for (const name of ['vip', 'old', 'unused']) await maria.post('/tags', { name })
  await fill(app, guests)
  return maria
}

async function run(client: Client, definition: object, query = ''): Promise<TestReply['body']> {
  const reply = await client.post(`/contacts/reports/run${query}`, definition)
  expect(reply.status, reply.text).toBe(200)
  return reply.body
}

const shown = (result: TestReply['body']) =>
  result.rows.map((row: TestReply['body']) => [...row.groups.map((one: TestReply['body']) => one.label), ...row.values])
const faults = (reply: TestReply) => reply.body.errors?.map((one: TestReply['body']) => [one.pointer, one.code])

test('groups are counted and measured, and the totals take each contact once', async () => {
  await using app = await start()
  const maria = await world(app)
  const bySource = await run(maria, {
    group_by: [{ field: 'source' }],
    measures: [
      { measure: 'count' },
      { measure: 'share' },
      { measure: 'sum', field: 'lifetime_value' },
      { measure: 'avg', field: 'engagement_score' },
      { measure: 'distinct', field: 'company' },
      { measure: 'share', where: { field: 'total_bookings', op: 'gte', value: 1 }, name: 'booked' },
    ],
  })
  expect(shown(bySource)).toEqual([
    ['Web', 2, 0.5, '30.30', 10, 1, 0.5],
    ['Fair', 1, 0.25, '0.00', 60, 1, 1],
    [null, 1, 0.25, '5.05', 25, 0, 0],
  ])
  expect(bySource.totals.values).toEqual([4, 1, '35.35', 26.25, 2, 0.5])
  expect(bySource).toMatchObject({ groups_total: 3, truncated: false, currency: 'EUR', problems: [] })
  expect(bySource.measures.map((one: TestReply['body']) => one.name)).toContain('sum_lifetime_value')
  const byTag = await run(maria, { group_by: [{ field: 'tag' }], sort: 'group' })
  expect(shown(byTag)).toEqual([
    ['old', 1],
    ['vip', 2],
    [null, 2],
  ])
  expect(byTag.totals.values).toEqual([4])
  const both = await run(maria, { group_by: [{ field: 'company' }, { field: 'engagement_level' }], sort: 'group' })
  expect(shown(both)).toEqual(
    [
      ['Ferme', 'high', 1],
      ['MOULIN', 'low', 1],
      ['Moulin', 'medium', 1],
      [null, 'medium', 1],
    ].map((row) =>
      row[0] === 'MOULIN' || row[0] === 'Moulin' ? [expect.stringMatching(/^moulin$/i), ...row.slice(1)] : row,
    ),
  )
  const bands = await run(maria, { group_by: [{ field: 'engagement_score', width: 20 }] })
  expect(shown(bands)).toEqual([
    ['0', 2],
    ['20', 1],
    ['60', 1],
  ])
  expect(shown(await run(maria, { group_by: [{ field: 'email_domain' }], sort: '-group' }))).toEqual([
    ['moulin.fr', 2],
    ['ferme.fr', 2],
  ])
  const alone = await run(maria, {
    measures: [
      { measure: 'max', field: 'lifetime_value' },
      { measure: 'min', field: 'created_at' },
    ],
  })
  expect(alone.rows).toEqual([])
  expect(alone.totals.values).toEqual(['20.20', expect.stringMatching(/^\d{4}-.*Z$/)])
})

test('the rule, the order and the limit choose what is shown; more groups than that are told', async () => {
  await using app = await start()
  const maria = await world(app)
  const result = await run(maria, {
    filter: { field: 'total_bookings', op: 'eq', value: 0 },
    group_by: [{ field: 'source' }],
    measures: [{ measure: 'count' }, { measure: 'sum', field: 'lifetime_value', name: 'worth', label: 'Worth' }],
    sort: '-worth',
    limit: 1,
  })
  expect(shown(result)).toEqual([['web', 1, '20.20']])
  expect(result).toMatchObject({ groups_total: 2, truncated: true })
  expect(result.measures[1]).toEqual({ name: 'worth', label: 'Worth', kind: 'money' })
  expect(result.totals.values).toEqual([2, '25.25'])
  const nobody = await run(maria, {
    filter: { field: 'source', op: 'eq', value: 'nowhere' },
    group_by: [{ field: 'source' }],
    measures: [{ measure: 'count' }, { measure: 'avg', field: 'engagement_score' }, { measure: 'share' }],
  })
  expect(nobody).toMatchObject({ rows: [], groups_total: 0, truncated: false, totals: { values: [0, null, null] } })
  const french = await run(maria, { group_by: [{ field: 'created_at', by: 'week' }] }, '?language=fr')
  expect([french.groups[0].label, french.measures[0].label]).toEqual(['Création (semaine)', 'Contacts'])
})

test('days are those of the workspace, gaps are filled, and the period before is beside it', async () => {
  await using app = await start()
  await app.as('anna').patch('/workspace', { timezone: 'Europe/Paris' })
  const maria = app.as('maria')
  await fill(app, [
    { email: '1@x.example', created: '2026-01-31T22:59:59Z' },
    // Midnight of the 1st of February in Paris.
    { email: '2@x.example', created: '2026-01-31T23:00:00Z' },
    { email: '3@x.example', created: '2026-04-15T12:00:00Z' },
    { email: '4@x.example', created: '2025-12-03T12:00:00Z' },
    { email: '5@x.example', created: '2025-10-05T12:00:00Z' },
  ])
  const period = { from: '2026-01-01', to: '2026-04-30' }
  const byMonth = await run(maria, { group_by: [{ field: 'created_at', by: 'month' }], period, compare: true })
  expect(byMonth.rows.map((row: TestReply['body']) => [row.groups[0].key, row.values[0], row.previous[0]])).toEqual([
    // 120 days before the 1st of January: from the 3rd of September.
    ['2026-01-01', 1, 0],
    ['2026-02-01', 1, 1],
    ['2026-03-01', 0, 0],
    ['2026-04-01', 1, 1],
  ])
  expect(byMonth).toMatchObject({
    totals: { values: [3], previous: [2] },
    previous_period: { field: 'created_at', from: '2025-09-03', to: '2025-12-31' },
    timezone: 'Europe/Paris',
  })
  const byQuarter = await run(maria, { group_by: [{ field: 'created_at', by: 'quarter' }] })
  expect(shown(byQuarter)).toEqual([
    ['2025-10-01', 2],
    ['2026-01-01', 2],
    ['2026-04-01', 1],
  ])
  const weeks = await run(maria, {
    group_by: [{ field: 'created_at', by: 'week' }],
    period: { from: '2026-01-25', to: '2026-02-01' },
  })
  expect(shown(weeks)).toEqual([
    ['2026-01-19', 0],
    ['2026-01-26', 2],
  ])
  const open = await run(maria, { period: { from: '2026-02-01' } })
  expect(open.totals.values).toEqual([2])
  expect((await run(maria, { period: { to: '2025-12-31' } })).totals.values).toEqual([2])
})

test('custom fields group, measure and limit by what they are', async () => {
  await using app = await start()
  const admin = app.as('adrian')
  const fields: [string, string, object][] = [
    ['Size', 'number', {}],
    [
      'Diet',
      'multi_choice',
      {
        choices: [
          { value: 'veg', label: 'Vegetarian' },
          { value: 'nut', label: 'No nuts' },
        ],
      },
    ],
    ['Born', 'date', {}],
    ['Room', 'choice', { choices: [{ value: 'a', label: 'Attic' }] }],
    ['Regular', 'boolean', {}],
  ]
  const ids: string[] = []
  for (const [label, type, more] of fields) {
    const reply = await admin.post('/contacts/fields', { label, type, ...more })
    expect(reply.status, reply.text).toBe(201)
    ids.push(reply.body.id)
  }
  await fill(app, [
    {
      email: 'a@x.example',
      custom_fields: { size: 38.5, diet: ['veg', 'nut'], born: '1990-02-28', room: 'a', regular: true },
    },
    { email: 'b@x.example', custom_fields: { size: 41, diet: ['veg'], born: '1990-11-02' } },
    { email: 'c@x.example', custom_fields: { born: '2026-02-31', size: 'big', diet: 'veg' } },
  ])
  const by = async (field: string, more: object = {}) =>
    shown(await run(admin, { group_by: [{ field, ...more }], sort: 'group' }))
  expect(await by('custom_fields.diet')).toEqual([
    ['No nuts', 1],
    ['Vegetarian', 2],
    [null, 1],
  ])
  expect(await by('custom_fields.born', { by: 'year' })).toEqual([
    ['1990-01-01', 2],
    [null, 1],
  ])
  expect(await by('custom_fields.room')).toEqual([
    ['Attic', 1],
    [null, 2],
  ])
  expect(await by('custom_fields.regular')).toEqual([
    ['true', 1],
    [null, 2],
  ])
  const sizes = await run(admin, {
    measures: [
      { measure: 'sum', field: 'custom_fields.size' },
      { measure: 'avg', field: 'custom_fields.size' },
    ],
    period: { field: 'custom_fields.born', from: '1990-01-01', to: '1990-12-31' },
  })
  expect(sizes.totals.values).toEqual([79.5, 39.75])

  const kept = await admin.post('/contacts/reports', {
    name: 'Sizes',
    group_by: [{ field: 'custom_fields.room' }],
    measures: [{ measure: 'sum', field: 'custom_fields.size' }, { measure: 'count' }],
  })
  for (const id of ids) await admin.delete(`/contacts/fields/${id}`)
  await app.drain()
  const after = await admin.get(`/contacts/reports/${kept.body.id}/run`)
  expect(shown(after.body)).toEqual([[null, null, 3]])
  expect(after.body.problems.map((one: TestReply['body']) => [one.pointer, one.code])).toEqual([
    ['/group_by/0/field', 'field_gone'],
    ['/measures/0/field', 'field_gone'],
  ])
  expect(faults(await admin.post('/contacts/reports/run', { group_by: [{ field: 'custom_fields.room' }] }))).toEqual([
    ['/group_by/0/field', 'field_gone'],
  ])
})

test('whatever is wrong is told at its place', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const at = async (definition: object) => faults(await maria.post('/contacts/reports/run', definition))
  expect(
    await at({
      filter: { field: 'shoe', op: 'eq', value: 1 },
      group_by: [{ field: 'email' }, { field: 'source', by: 'month' }],
      measures: [
        { measure: 'count', field: 'source' },
        { measure: 'sum' },
        { measure: 'sum', field: 'source' },
        { measure: 'count', where: { field: 'nope', op: 'eq', value: 1 } },
        { measure: 'avg', field: "id'; drop table contacts.contacts; --" },
        { measure: 'count', name: 'count' },
        { measure: 'count', name: 'group' },
      ],
      compare: true,
      sort: '-nothing',
    }),
  ).toEqual([
    ['/group_by/0/field', 'not_groupable'],
    ['/group_by/1/by', 'misplaced'],
    ['/measures/0/field', 'misplaced'],
    ['/measures/1/field', 'required'],
    ['/measures/2/field', 'not_measurable'],
    ['/measures/3/where/field', 'unknown_field'],
    ['/measures/4/field', 'unknown_field'],
    ['/measures/5/name', 'repeated'],
    ['/measures/6/name', 'reserved'],
    ['/filter/field', 'unknown_field'],
    ['/compare', 'no_period'],
    ['/sort', 'unknown_sort'],
  ])
  expect(await at({ period: { last_days: 3, this: 'week' } })).toEqual([['/period', 'ambiguous']])
  expect(await at({ period: {} })).toEqual([['/period', 'required']])
  expect(await at({ period: { from: '2026-02-01', to: '2026-01-01' } })).toEqual([['/period/from', 'too_large']])
  expect(await at({ period: { field: 'source', last_days: 3 } })).toEqual([['/period/field', 'not_a_time']])
  expect(await at({ group_by: [{ field: 'source' }, { field: 'source' }] })).toEqual([['/group_by/1', 'repeated']])
  const three = { group_by: [{ field: 'source' }, { field: 'status' }, { field: 'gender' }] }
  expect((await maria.post('/contacts/reports/run', three)).status).toBe(422)
  expect((await maria.post('/contacts/reports/run', { limit: 5_000 })).status).toBe(422)
  expect((await maria.post('/contacts/reports/run', { columns: [] })).status).toBe(422)
})

test('reports are kept, changed, deleted and restored; every template runs', async () => {
  await using app = await start()
  const maria = await world(app)
  const made = await maria.post('/contacts/reports', { name: 'By source', group_by: [{ field: 'source' }] })
  expect([made.status, made.headers.location]).toEqual([201, `/api/v1/contacts/reports/${made.body.id}`])
  const path = `/contacts/reports/${made.body.id}`
  expect((await maria.post('/contacts/reports', { name: 'by SOURCE' })).body.code).toBe('name_taken')
  expect((await maria.patch(path, { limit: 1 }, { 'if-match': '"v9"' })).status).toBe(412)
  const changed = await maria.patch(path, { limit: 1, description: 'The best' }, { 'if-match': '"v1"' })
  expect(changed.body).toMatchObject({
    definition: { group_by: [{ field: 'source' }], limit: 1 },
    description: 'The best',
  })
  expect(faults(await maria.put(path, { sort: 'nothing' }))).toEqual([['/sort', 'unknown_sort']])
  expect(shown((await app.as('victor').get(`${path}/run`)).body)).toHaveLength(1)
  expect((await maria.get('/contacts/reports?search=sour')).body).toMatchObject({ total: 1, next_cursor: null })
  expect((await maria.delete(path)).status).toBe(200)
  expect((await maria.get(`${path}/run`)).status).toBe(404)
  expect((await maria.get('/contacts/reports')).body.total).toBe(0)
  expect((await maria.post(`${path}/restore`)).body).toMatchObject({ deleted_at: null })
  for (const person of ['victor', 'agnes'] as const) {
    expect((await app.as(person).post('/contacts/reports', { name: 'Mine' })).status).toBe(403)
    expect((await app.as(person).delete(path)).status).toBe(403)
  }
  expect((await app.stranger.get(path)).status).toBe(404)
  expect((await app.stranger.get(`${path}/run`)).status).toBe(404)

  const { data } = (await maria.get('/contacts/reports/templates?language=ro')).body
  expect(data.length).toBeGreaterThanOrEqual(8)
  for (const template of data) {
    const result = await run(maria, template.definition, '?language=ro')
    expect(result.problems, template.key).toEqual([])
    const kept = await maria.post('/contacts/reports', { name: template.name, ...template.definition })
    expect(kept.status, kept.text).toBe(201)
  }
  const { fields } = (await maria.get('/contacts/reports/fields')).body
  const value = fields.find((one: TestReply['body']) => one.field === 'lifetime_value')
  expect(value).toEqual({
    field: 'lifetime_value',
    label: 'Lifetime value',
    group: true,
    kind: 'band',
    measures: ['sum', 'avg', 'min', 'max'],
    period: false,
  })
})

test('all that can be grouped by or measured can be asked of the database', async () => {
  await using app = await start()
  const maria = await world(app)
  const { fields } = (await maria.get('/contacts/reports/fields')).body
  expect(fields.length).toBeGreaterThan(35)
  for (const { field, group, measures, period } of fields) {
    const measured = measures.map((measure: string) => ({ measure, field }))
    const result = await run(maria, {
      ...(group ? { group_by: [{ field }] } : {}),
      ...(measured.length ? { measures: measured } : {}),
      ...(period ? { period: { field, last_days: 30 }, compare: true } : {}),
    })
    expect(result.problems, field).toEqual([])
  }
})

test('a report that takes too long is given up, with advice', async () => {
  await using app = await start()
  await app.inTx(async (holder) => {
    await sql`lock table contacts.contacts in access exclusive mode`.execute(holder.sql)
    const waiting = app.inTx((tx) => runReport(tx, {}, { isKept: false, language: 'en', timeoutMs: 50 }))
    await expect(waiting).rejects.toMatchObject({ code: 'report_too_slow', status: 422 })
  })
})

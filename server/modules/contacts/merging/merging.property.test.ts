// Whatever the contacts were, a merge adds them up, never allows more than they did, and its undoing brings everything back.
import fc from 'fast-check'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { newId } from '#platform/ids.ts'
import { systemActor } from '#platform/actor.ts'
import { start, type TestApp } from '#testing/start.ts'
import { recordConsent, type ConsentSource } from '../consent.ts'
import { recordEngagement } from '../engagement.ts'
import { factReactions } from '../facts/reactions.ts'
import { addInteraction } from '../interactions.ts'
import { insertMembers } from '../membership.ts'
import { addNote } from '../notes.ts'
import { suppress } from '../suppression.ts'

const size = 5
const lists = ['Bread', 'Cake', 'Tea']
const tags = ['vip', 'new', 'slow']
const day = (n: number) => new Date(Date.UTC(2025, 0, 1 + n, 12))

const text = (...values: string[]) => fc.option(fc.constantFrom(...values), { nil: undefined })
const some = <T>(values: readonly T[]) => fc.subarray([...values])

const person = fc.record({
  first_name: fc.constantFrom('Ana', 'Anna', 'A.'),
  last_name: text('Marin', 'Maric'),
  company: text('Moulin', 'Mill'),
  job_title: text('Baker'),
  phone: text('+33611111111', '+33622222222'),
  gender: fc.constantFrom(undefined, 'female' as const, 'other' as const),
  timezone: text('Europe/Paris', 'Europe/Bucharest'),
  notes: text('Rye only.', 'Comes on Mondays.'),
  hasUser: fc.boolean(),
  custom: fc.dictionary(fc.constantFrom('size', 'shoe', 'wish'), fc.oneof(fc.nat(9), fc.constantFrom('', 'M', 'L')), {
    maxKeys: 3,
  }),
  tags: some(tags),
  lists: some(lists),
  notesAdded: fc.nat(2),
  entries: fc.array(fc.nat(400), { maxLength: 3 }),
  consents: fc.array(
    fc.record({
      purpose: fc.constantFrom('newsletter' as const, 'marketing' as const, 'tracking' as const),
      decision: fc.constantFrom('granted' as const, 'granted' as const, 'withdrawn' as const, 'pending' as const),
      source: fc.constantFrom<ConsentSource>('person', 'confirmation_link', 'unsubscribe_page', 'form'),
    }),
    { maxLength: 3 },
  ),
  suppressed: fc.constantFrom(null, null, null, 'hard_bounce' as const, 'complaint' as const),
  opens: fc.nat(2),
  orders: fc.array(fc.record({ cents: fc.nat(9_999), at: fc.nat(300) }), { maxLength: 2 }),
  /** Numbers of bookings: two people may attend the same one. */
  bookings: some([1, 2, 3]),
  tickets: fc.nat(2),
  outsideId: fc.boolean(),
})
type Someone = typeof person extends fc.Arbitrary<infer T> ? T : never

const choice = fc.constantFrom('none', 'primary', 'last', 'literal')
const scenario = fc.record({
  people: fc.array(person, { minLength: size, maxLength: size }),
  order: fc.shuffledSubarray([...Array(size).keys()], { minLength: size, maxLength: size }),
  duplicates: fc.integer({ min: 1, max: size - 2 }),
  email: choice,
  company: choice,
  custom: choice,
  phone: choice,
})

test('a merge adds up and allows no more; its undoing restores every row', async () => {
  await using app = await start()
  await prepare(app)
  await fc.assert(
    fc.asyncProperty(scenario, async ({ people, order, duplicates, ...choices }) => {
      const ids = await makePeople(app, people)
      await app.drain()
      const [primary, ...others] = order.map((index) => ids[index]!) as [string, ...string[]]
      const duplicateIds = others.slice(0, duplicates)
      const fields = toFields(choices, primary, duplicateIds.at(-1)!)
      const request = { primary_id: primary, duplicate_ids: duplicateIds, fields }
      const before = await dump(app)
      const single = await shown(app, [primary, ...duplicateIds])

      const preview = await app.as('maria').post('/contacts/merge/preview', request)
      expect(preview.status, preview.text).toBe(200)
      await app.drain()
      expect(await dump(app), 'after the preview').toEqual(before)

      const merged = await app.as('maria').post('/contacts/merge', request)
      expect(merged.status, merged.text).toBe(200)
      const { merge_id, ...contact } = merged.body
      expect(timeless(contact)).toEqual(timeless(preview.body.contact))
      judge(single, contact, await shown(app, [primary]))
      await app.drain()

      const between = await dump(app)
      const again = { primary_id: others.at(-1)!, duplicate_ids: [primary] }
      const second = await app.as('maria').post('/contacts/merge', again)
      expect(second.status, second.text).toBe(200)
      expect((await app.as('maria').post(`/contacts/merges/${merge_id}/undo`)).body.code).toBe('merged_again')
      await app.drain()
      const back = await app.as('maria').post(`/contacts/merges/${second.body.merge_id}/undo`)
      expect([back.status, back.body.merge?.kept], back.text).toEqual([200, []])
      await app.drain()
      expect(await dump(app), 'after the undoing of a merge of the merged').toEqual(between)

      const undone = await app.as('maria').post(`/contacts/merges/${merge_id}/undo`)
      expect([undone.status, undone.body.merge?.kept], undone.text).toEqual([200, []])
      await app.drain()
      expect(await dump(app), 'after the undoing').toEqual(before)
    }),
    { numRuns: 5, endOnFailure: true },
  )
}, 120_000)

async function prepare(app: TestApp): Promise<void> {
  for (const name of lists) expect((await app.as('maria').post('/lists', { name })).status).toBe(201)
  const criteria = {
    any: [
      { field: 'company', op: 'eq', value: 'Mill' },
      { field: 'total_orders', op: 'gte', value: 2 },
    ],
  }
  const made = await app.as('maria').post('/lists', { name: 'Millers', type: 'dynamic', criteria })
  expect(made.status, made.text).toBe(201)
  const others = { not: { field: 'list', op: 'in', value: made.body.id } }
  const rest = await app.as('maria').post('/lists', { name: 'The others', type: 'dynamic', criteria: others })
  expect(rest.status, rest.text).toBe(201)
}

let runs = 0

async function makePeople(app: TestApp, people: Someone[]): Promise<string[]> {
  const run = ++runs
  const ids: string[] = []
  for (const [index, one] of people.entries()) {
    const {
      status,
      body,
      text: reply,
    } = await app.as('maria').post('/contacts', {
      email: emailOf(run, index),
      first_name: one.first_name,
      last_name: one.last_name,
      company: one.company,
      job_title: one.job_title,
      phone: one.phone,
      gender: one.gender,
      timezone: one.timezone,
      notes: one.notes,
      custom_fields: one.custom,
      tags: one.tags,
      ...(one.hasUser ? { user_id: newId() } : {}),
    })
    expect(status, reply).toBe(201)
    ids.push(body.id as string)
  }
  await app.inTx(async (tx) => {
    const actor = systemActor(tx.workspaceId)
    const services = app.app.runtime
    const rows = await tx.sql.selectFrom('contacts.lists').select(['id', 'name']).execute()
    for (const [index, one] of people.entries()) {
      const id = ids[index]!
      await insertMembers(
        tx,
        actor,
        rows.filter(({ name }) => one.lists.includes(name)).map((list) => list.id),
        [id],
      )
      for (let n = 0; n < one.notesAdded; n++) await addNote(tx, actor, id, `Note ${n}`)
      for (const at of one.entries) await addInteraction(tx, actor, id, { type: 'manual_entry', occurredAt: day(at) })
      for (const each of one.consents) await recordConsent(tx, services, [{ contactId: id, ...each }])
      if (one.suppressed) await suppress(tx, services, [emailOf(run, index)], one.suppressed)
      await recordEngagement(
        tx,
        services,
        Array.from({ length: one.opens }, (_, n) => ({
          contactId: id,
          type: 'opened' as const,
          occurredAt: day(n),
          sourceKey: `${run}-${index}-${n}`,
        })),
      )
      await tellFacts(app, tx, one, run, index)
    }
  })
  return ids
}

const emailOf = (run: number, index: number) => `person-${run}-${index}@example.com`

async function tellFacts(
  app: TestApp,
  tx: Parameters<Parameters<TestApp['inTx']>[0]>[0],
  one: Someone,
  run: number,
  index: number,
) {
  const who = { email: emailOf(run, index), ...(one.outsideId ? { user_id: `outside-${run}-${index}` } : {}) }
  const events = [
    ...one.orders.map(({ cents, at }, n) => ({
      event: 'order.completed',
      data: {
        order_id: `${run}-${index}-${n}`,
        total: cents / 100,
        currency: 'EUR',
        completed_at: day(at).toISOString(),
        ...who,
      },
    })),
    ...one.bookings.map((n) => ({
      event: 'booking.created',
      data: {
        booking_id: `${run}-${n}`,
        booked_at: day(n).toISOString(),
        start_time: day(n + 9).toISOString(),
        ...who,
      },
    })),
    ...Array.from({ length: one.tickets }, (_, n) => ({
      event: 'ticket.created',
      data: { ticket_id: `${run}-${index}-${n}`, created_at: day(n).toISOString(), ...who },
    })),
  ]
  for (const { event, data } of events) {
    const told = { id: newId(), event, timestamp: day(0).toISOString(), workspace_id: tx.workspaceId, data }
    for (const reaction of factReactions.filter((each) => each.event === event))
      await reaction.run(tx, [told], app.app.runtime)
  }
}

function toFields(choices: Record<'email' | 'company' | 'custom' | 'phone', string>, primary: string, last: string) {
  const pick = (how: string, literal: unknown) => (how === 'primary' ? primary : how === 'last' ? last : literal)
  const all = {
    email: pick(choices.email, `new-${newId()}@example.com`),
    company: pick(choices.company, null),
    phone: pick(choices.phone, '+33633333333'),
    custom_fields: pick(choices.custom, { size: last, shoe: 44, wish: null }),
  }
  return Object.fromEntries(
    Object.entries(all).filter(([name]) => choices[(name === 'custom_fields' ? 'custom' : name) as 'email'] !== 'none'),
  )
}

type Shown = Record<string, unknown> & {
  id: string
  email: string
  status: string
  tags: string[]
  lists: { name: string }[]
}
const flags = ['newsletter_subscribed', 'marketing_subscribed', 'tracking_allowed'] as const

/** The contacts, and how much hangs on each. */
async function shown(
  app: TestApp,
  ids: string[],
): Promise<(Shown & { timeline: number; noteCount: number; bookingKeys: string[]; saidNo: string[] })[]> {
  return Promise.all(
    ids.map(async (id) => {
      const { body } = await app.as('maria').get(`/contacts/${id}`)
      const { rows } = await app.inTx((tx) =>
        sql<{ timeline: number; notes: number; bookings: string[]; said_no: string[] }>`
          select (select count(*) from contacts.interactions where contact_id = ${id}) as timeline,
            (select count(*) from contacts.notes where contact_id = ${id}) as notes,
            array(select booking_key from contacts.bookings where contact_id = ${id}) as bookings,
            array(select purpose from (
              select distinct on (purpose) purpose, decision from contacts.consents
              where contact_id = ${id} and decision <> 'pending' order by purpose, recorded_at desc, id desc) as latest
              where decision = 'withdrawn') as said_no`.execute(tx.sql),
      )
      const [row] = rows
      return {
        ...(body as Shown),
        timeline: row!.timeline,
        noteCount: row!.notes,
        bookingKeys: row!.bookings,
        saidNo: row!.said_no,
      }
    }),
  )
}

function judge(
  before: Awaited<ReturnType<typeof shown>>,
  contact: Record<string, unknown>,
  after: Awaited<ReturnType<typeof shown>>,
): void {
  const [now] = after as [(typeof after)[number]]
  const total = (name: string) => before.reduce((sum, one) => sum + Number(one[name]), 0)
  expect(now.timeline, 'timeline').toBe(total('timeline') + 1)
  expect(now.noteCount, 'notes').toBe(total('noteCount'))
  expect([...now.tags].toSorted()).toEqual([...new Set(before.flatMap((one) => one.tags))].toSorted())
  const names = (one: Shown) => one.lists.map(({ name }) => name).filter((name) => lists.includes(name))
  expect(names(now).toSorted()).toEqual([...new Set(before.flatMap(names))].toSorted())
  for (const name of ['total_orders', 'total_tickets', 'open_tickets', 'total_emails_opened']) {
    expect(contact[name], name).toBe(total(name))
  }
  expect(Number(contact.lifetime_value)).toBeCloseTo(total('lifetime_value'), 6)
  expect(contact.total_bookings).toBe(new Set(before.flatMap((one) => one.bookingKeys)).size)
  const owner = before.find(({ email }) => email === contact.email) ?? before[0]!
  for (const flag of flags) {
    const purpose = flag.split('_')[0]!
    if (!owner[flag]) expect(contact[flag], `${flag}: nobody allowed this address`).toBe(false)
    if (before.some((one) => one.saidNo.includes(purpose)))
      expect(contact[flag], `${flag}: somebody said no`).toBe(false)
    if (before.every((one) => one[flag]) && before.every(({ status }) => status === 'active'))
      expect(contact[flag], flag).toBe(true)
  }
  if (before.some(({ status }) => status === 'complained')) expect(contact.status).toBe('complained')
  else if (owner.status === 'active' && before.some(({ status }) => status === 'unsubscribed'))
    expect(contact.status).toBe('unsubscribed')
}

/** What says when or how often a record was written, and what is made of the records by looking at them. */
const passing = ['version', 'updated_at']
const derived = /duplicate|statistics|changed_days|stamps|operation|merges$/

function timeless(contact: Record<string, unknown>) {
  const { updated_at: _, lists: dynamic, ...rest } = contact
  return { ...rest, lists: (dynamic as { name: string }[]).filter(({ name }) => lists.includes(name)) }
}

async function dump(app: TestApp): Promise<Record<string, unknown[]>> {
  return app.inTx(async (tx) => {
    const { rows: tables } = await sql<{ name: string }>`
      select 'contacts.' || c.relname as name from pg_class c
      where c.relnamespace = 'contacts'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition order by 1`.execute(
      tx.sql,
    )
    const all: Record<string, unknown[]> = {}
    for (const { name } of tables.filter((table) => !derived.test(table.name))) {
      const isTimeline = name === 'contacts.interactions'
      const { rows } = await sql<{ row: unknown }>`
        select to_jsonb(t) - ${passing}::text[] as row from ${sql.table(name)} t
        ${isTimeline ? sql`where interaction_type not in ('contact_merged', 'contact_unmerged')` : sql``}
        order by 1`.execute(tx.sql)
      all[name] = rows.map(({ row }) => row)
    }
    return all
  })
}

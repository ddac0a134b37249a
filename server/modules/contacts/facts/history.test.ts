// However a history arrives, repeated and out of order, in one batch or in many: the figures are those of a plain count.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sql } from 'kysely'
import type { Event } from '#platform/events/outbox.ts'
import { newId } from '#platform/ids.ts'
import { start, type TestApp } from '#testing/start.ts'
import { factReactions } from './reactions.ts'
import { updateStats } from './work.ts'

const people = ['ana', 'bob', 'cat']
const day = (n: number) => new Date(Date.UTC(2025, 0, 1 + n, 12)).toISOString()

interface Happening {
  event: string
  /** Number of the order, booking or ticket; what belongs together has one person. */
  thing: number
  at: number
  cents: number
  returnId: number
  foreign: boolean
}

const happening: fc.Arbitrary<Happening> = fc.record({
  event: fc.constantFrom(
    'order.completed',
    'order.completed',
    'order.returned',
    'booking.created',
    'booking.completed',
    'booking.cancelled',
    'appointment.created',
    'appointment.cancelled',
    'appointment.completed',
    'ticket.created',
    'ticket.resolved',
    'ticket.closed',
  ),
  thing: fc.nat({ max: 8 }),
  at: fc.nat({ max: 300 }),
  cents: fc.nat({ max: 99_999 }),
  returnId: fc.nat({ max: 2 }),
  foreign: fc.boolean(),
})

const ownerOf = (thing: number) => people[thing % people.length]!

function toEvent({ event, thing, at, cents, returnId, foreign }: Happening, run: string): Event {
  const [what, verb] = event.split('.') as [string, string]
  const key = `${run}-${what}-${thing}`
  const stamp = `${verb === 'created' ? (what === 'ticket' ? 'created' : 'booked') : verb}_at`
  return {
    id: newId(),
    event,
    timestamp: day(at),
    workspace_id: '',
    data: {
      [`${what}_id`]: key,
      email: `${ownerOf(thing)}-${run}@example.com`,
      [stamp]: day(at),
      ...(event === 'order.completed' ? { total: cents / 100, currency: foreign ? 'USD' : 'EUR' } : {}),
      ...(event === 'order.returned' ? { return_id: returnId, refund_amount: (cents / 100).toFixed(2) } : {}),
      ...(verb === 'created' && what !== 'ticket' ? { start_time: day(at + 10) } : {}),
    },
  }
}

/** As somebody would count by hand, from the events without repetition. */
function count(all: { happening: Happening; event: Event }[], owner: string) {
  const own = all.filter(({ happening: { thing } }) => ownerOf(thing) === owner)
  const things = (prefix: string) => [
    ...Map.groupBy(
      own.filter(({ event }) => event.event.startsWith(prefix)),
      ({ happening: { thing } }) => thing,
    ).values(),
  ]
  const orders = things('order').filter((one) => one.some(({ event }) => event.event === 'order.completed'))
  let cents = 0
  let returned = 0
  for (const order of orders) {
    const byTime = order.toSorted((a, b) =>
      `${a.event.timestamp} ${a.event.id}` < `${b.event.timestamp} ${b.event.id}` ? -1 : 1,
    )
    const last = byTime.filter(({ event }) => event.event === 'order.completed').at(-1)!
    const returns = new Map(
      byTime
        .filter(({ event }) => event.event === 'order.returned')
        .map((one) => [one.happening.returnId, one.happening.cents]),
    )
    if (returns.size) returned++
    const back = [...returns.values()].reduce((sum, one) => sum + one, 0)
    if (!last.happening.foreign) cents += Math.max(0, last.happening.cents - back)
  }
  const dates = orders.map(
    (order) =>
      order
        .filter(({ event }) => event.event === 'order.completed')
        .map(({ event }) => event.timestamp)
        .toSorted()[0]!,
  )
  const appointments = things('appointment')
  const timeOf = (one: typeof own, verb: string) =>
    one
      .filter(({ event }) => event.event.endsWith(verb))
      .map(({ event }) => event.timestamp)
      .toSorted()[0]
  const cancelled = appointments.filter((one) => {
    const [at, completed] = [timeOf(one, 'cancelled'), timeOf(one, 'completed')]
    return at !== undefined && !(completed !== undefined && completed > at)
  })
  const tickets = things('ticket')
  return {
    total_orders: orders.length,
    returned_orders: returned,
    lifetime_value: (cents / 100).toFixed(2),
    first_order_date: dates.toSorted()[0] ?? null,
    last_order_date: dates.toSorted().at(-1) ?? null,
    total_bookings: things('booking').length,
    total_appointments: appointments.length,
    cancelled_appointments: cancelled.length,
    total_tickets: tickets.length,
    open_tickets: tickets.filter((one) => !timeOf(one, 'resolved') && !timeOf(one, 'closed')).length,
  }
}

async function tell(app: TestApp, events: Event[]): Promise<void> {
  for (const [name, batch] of Map.groupBy(events, (event) => event.event)) {
    await app.inTx(async (tx) => {
      for (const reaction of factReactions.filter((one) => one.event === name))
        await reaction.run(tx, batch, app.app.runtime)
    })
  }
}

async function figures(app: TestApp, email: string) {
  const { rows } = await app.inTx((tx) =>
    sql<Record<string, unknown>>`
      select total_orders, returned_orders, lifetime_value, first_order_date, last_order_date, total_bookings,
        total_appointments, cancelled_appointments, total_tickets, open_tickets, first_appointment_date,
        last_appointment_date, last_booking_date, total_purchases,
        (select jsonb_agg(row order by row) from (
          select distinct jsonb_build_array(interaction_type, description, metadata) as row from contacts.interactions i
          where i.contact_id = c.id and interaction_type not in ('contact_created', 'contact_updated', 'order_returned', 'purchase')) t
        ) as told
      from contacts.contacts c where email_key = ${email}`.execute(tx.sql),
  )
  return rows[0]
}

const plain = (value: unknown) => JSON.parse(JSON.stringify(value)) as Record<string, unknown>

test('any order and any repetition of a random history gives the figures of a plain count', async () => {
  await using app = await start()
  let number = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(happening, { minLength: 1, maxLength: 40 }),
      fc.infiniteStream(fc.nat({ max: 1_000 })),
      fc.integer({ min: 1, max: 5 }),
      async (history, random, parts) => {
        const run = `r${number++}`
        const all = history.map((one) => ({ happening: one, event: toEvent(one, run) }))
        // Some are told twice, under the same id and under another: a broker repeats, and so do shops.
        const repeated = all.flatMap((one) => [one.event, ...(random.next().value % 3 === 0 ? [one.event] : [])])
        const shuffled = repeated
          .map((event) => ({ event, rank: random.next().value }))
          .toSorted((a, b) => a.rank - b.rank)
          .map(({ event }) => event)
        for (let part = 0; part < parts; part++)
          await tell(
            app,
            shuffled.filter((_, index) => index % parts === part),
          )
        for (const owner of people) {
          if (!all.some(({ happening: { thing } }) => ownerOf(thing) === owner)) continue
          const found = plain((await figures(app, `${owner}-${run}@example.com`)) ?? {})
          expect(found).toMatchObject(count(all, owner))
          expect(found.total_purchases).toBe(found.total_orders)
        }
        // The same history in its own order, for other people: all the rest of the record is the same too.
        const twin = `t${number++}`
        await tell(
          app,
          history.map((one) => toEvent(one, twin)).map((event, index) => ({ ...event, id: all[index]!.event.id })),
        )
        for (const owner of people) {
          const pair = await Promise.all([run, twin].map((name) => figures(app, `${owner}-${name}@example.com`)))
          const [one, other] = pair.map((row) =>
            JSON.stringify(row ?? null)
              .replaceAll(`${run}-`, '')
              .replaceAll(`${twin}-`, ''),
          )
          expect(one).toBe(other)
        }
      },
    ),
    { numRuns: 25, seed: 20261121, endOnFailure: true },
  )
  expect(await updateStats(app.app.runtime)).toBe(0)
}, 120_000)

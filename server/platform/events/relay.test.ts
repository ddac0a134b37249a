// Every event is handled, once per reaction, in the order of its subject, whatever fails in between.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { start, type TestApp } from '#testing/start.ts'
import { sql } from 'kysely'
import { Invalid, NotUnderstood } from '../errors.ts'
import { newId } from '../ids.ts'
import { when } from '../module.ts'
import { resendAllEvents } from './failed.ts'
import { createRelay } from './relay.ts'
import { publishBundles, type Event } from './outbox.ts'

interface Step {
  subject: string
  number: number
}

/** The waits between tries pass. */
const passDelays = (app: TestApp) =>
  app.app.runtime.db.transaction('system', (tx) =>
    tx.rawQuery('update platform.outbox set next_attempt_at = now() where relayed_at is null'),
  )
const waiting = async (app: TestApp) => {
  const { rows } = await app.inTx((tx) =>
    tx.rawQuery<{ n: number }>(
      'select count(*) as n from platform.outbox where relayed_at is null and failed_at is null',
    ),
  )
  return rows[0]?.n
}

test('random events and random failures: once per reaction, in order per subject, and no subject waits for another', async () => {
  const handled: Record<string, Step[]> = { one: [], two: [] }
  const failures = new Map<string, number>()
  // Effects are rows, so that a failing transaction takes them back; what committed is counted after each round.
  const reaction = (consumer: string, key: string) =>
    when('probe.step', consumer, async (tx, events) => {
      const done: Step[] = []
      for (const { data } of events as unknown as Event<Step>[]) {
        const place = `${key} ${data.subject} ${data.number}`
        const left = failures.get(place) ?? 0
        failures.set(place, left - 1)
        if (left > 0) throw new Error('not yet')
        done.push(data)
      }
      tx.afterCommit(() => void handled[key]!.push(...done))
    })
  await using app = await start({}, { reactions: [reaction('probe.one', 'one'), reaction('probe.two', 'two')] })
  const subjects = ['a', 'b', 'c', 'd']
  const plan = fc.array(
    fc.record({
      subject: fc.constantFrom(...subjects),
      failsOne: fc.constantFrom(0, 0, 0, 1, 2),
      failsTwo: fc.constantFrom(0, 0, 0, 1),
    }),
    { minLength: 1, maxLength: 25 },
  )
  await fc.assert(
    fc.asyncProperty(plan, fc.boolean(), async (steps, inOneTransaction) => {
      handled.one = []
      handled.two = []
      failures.clear()
      const events = steps.map(({ subject, failsOne, failsTwo }, number) => {
        failures.set(`one ${subject} ${number}`, failsOne)
        failures.set(`two ${subject} ${number}`, failsTwo)
        return { event: 'probe.step', subject, data: { subject, number } }
      })
      if (inOneTransaction) await app.inTx((tx) => tx.publishAll(events))
      else for (const event of events) await app.inTx((tx) => tx.publishAll([event]))
      await app.drain()
      const healthy = subjects.filter((subject) =>
        steps.every((step) => step.subject !== subject || step.failsOne + step.failsTwo === 0),
      )
      for (const subject of healthy) {
        expect(handled.one!.filter((step) => step.subject === subject)).toHaveLength(
          steps.filter((step) => step.subject === subject).length,
        )
      }
      // Each round passes the waits: at most three failures for each event of a subject.
      for (let round = 0; round < 80 && (await waiting(app)); round++) {
        await passDelays(app)
        await app.drain()
      }
      for (const key of ['one', 'two']) {
        for (const subject of subjects) {
          const expected = steps.flatMap((step, number) => (step.subject === subject ? [number] : []))
          expect(handled[key]!.filter((step) => step.subject === subject).map(({ number }) => number)).toEqual(expected)
        }
      }
    }),
    { numRuns: 12, seed: 20261121 },
  )
})

test('two relays at once do not hand anything on twice', async () => {
  const seen: string[] = []
  const reaction = when('probe.step', 'probe.count', async (tx, events) => {
    await tx.rawQuery('select pg_sleep(0.002)')
    tx.afterCommit(() => seen.push(...events.map(({ id }) => id)))
  })
  await using app = await start({}, { reactions: [reaction] })
  const { runtime } = app.app
  const relays = Array.from({ length: 3 }, () => createRelay(runtime.db, runtime, [reaction]))
  for (const relay of relays) relay.start()
  await Promise.all(
    Array.from({ length: 40 }, (_, n) => app.inTx((tx) => tx.publish('probe.step', `s${n % 5}`, { n }))),
  )
  await expect.poll(() => waiting(app), { timeout: 10_000 }).toBe(0)
  await Promise.all(relays.map((relay) => relay.stop()))
  expect([seen.length, new Set(seen).size]).toEqual([40, 40])
})

test('handled but not yet marked when the process died: the reaction does not see it again', async () => {
  let runs = 0
  await using app = await start({}, { reactions: [when('probe.step', 'probe.once', async () => void (runs += 1))] })
  await app.inTx((tx) => tx.publish('probe.step', 'x', {}))
  await app.drain()
  await app.app.runtime.db.transaction('system', (tx) => tx.rawQuery('update platform.outbox set relayed_at = null'))
  await app.drain()
  expect([runs, await waiting(app)]).toEqual([1, 0])
})

test('an event exists if and only if its change was committed', async () => {
  await using app = await start()
  await expect(
    app.inTx(async (tx) => {
      await tx.publish('probe.never', 'x', {})
      throw new Error('changed my mind')
    }),
  ).rejects.toThrow('changed my mind')
  await app.inTx((tx) => tx.publish('probe.always', 'x', {}))
  expect(await app.drainEvents()).toEqual(['probe.always'])
})

test('two reactions under one name are refused at the start', async () => {
  const reaction = when('probe.step', 'probe.same', async () => {})
  await expect(start({}, { reactions: [reaction, reaction] })).rejects.toThrow('are named probe.same')
})

test('an event that is refused to the last is set aside, seen by admins, and sent again', async () => {
  let broken = true
  const heard: unknown[] = []
  const reaction = when('probe.step', 'probe.picky', async (_tx, events) => {
    if (broken && events.some(({ data }) => data.n === 1)) throw new Invalid('bad', 'The list of this event is gone.')
    heard.push(...events.map(({ data }) => data.n))
  })
  await using app = await start({}, { reactions: [reaction] })
  await app.inTx((tx) => tx.publishAll([1, 2].map((n) => ({ event: 'probe.step', subject: 'same', data: { n } }))))
  for (let round = 0; round < 12; round++) {
    expect(heard).toEqual([])
    await app.drain()
    await passDelays(app)
  }
  await app.drain()
  expect(heard).toEqual([2])
  const adrian = app.as('adrian')
  const { body } = await adrian.get('/events/failed')
  expect(body.data).toMatchObject([
    { event: 'probe.step', data: { n: 1 }, attempts: 12, error: 'The list of this event is gone.' },
  ])
  expect(body.total).toBe(1)
  const path = `/events/failed/${body.data[0].id}/resend`
  expect((await app.as('maria').get('/events/failed')).status).toBe(403)
  expect((await app.stranger.get('/events/failed')).body.total).toBe(0)
  expect((await app.stranger.post(path)).status).toBe(404)
  broken = false
  expect((await adrian.post(path)).status).toBe(202)
  await app.drain()
  expect(heard).toEqual([2, 1])
  expect((await adrian.get('/events/failed')).body.total).toBe(0)
  expect((await adrian.post(path)).status).toBe(404)
  await app.app.runtime.db.transaction('system', (tx) =>
    tx.rawQuery("update platform.outbox set failed_at = now() where event = 'probe.step'"),
  )
  expect(await app.app.runtime.db.transaction('system', resendAllEvents)).toBe(2)
  expect((await adrian.get('/events/failed')).body.total).toBe(0)
})

test('events of other programs reach the same reactions, once per id, in their own workspace', async () => {
  const heard: Event[] = []
  await using app = await start(
    {},
    { reactions: [when('shop.ordered', 'probe.orders', async (_tx, events) => void heard.push(...events))] },
  )
  const event = {
    id: newId(),
    event: 'shop.ordered',
    timestamp: '2026-11-01T10:00:00Z',
    workspace_id: app.world.workspaceId,
    data: { order_id: 'A1' },
  }
  const send = (body: object) => app.as('adrian').post('/events', body)
  expect((await send(event)).body).toEqual({ id: event.id, status: 'accepted' })
  expect((await send(event)).body.status).toBe('duplicate')
  await app.drain()
  expect((await send(event)).body.status).toBe('duplicate')
  await app.drain()
  expect(heard).toEqual([{ ...event, timestamp: '2026-11-01T10:00:00.000Z' }])
  expect((await app.as('maria').post('/events', event)).status).toBe(403)
  expect((await app.stranger.post('/events', event)).status).toBe(403)
  expect((await app.stranger.post('/events', { ...event, workspace_id: undefined })).body.code).toBe('event_id_taken')
  for (const wrong of [{ event: 'Order Completed' }, { data: [] }, { id: 'x' }, { timestamp: 'now' }, { extra: 1 }]) {
    expect((await send({ ...event, ...wrong })).status).toBe(422)
  }
})

test('a bundle keeps its place: what it tells of waits while it waits, and each of its events is heard once', async () => {
  const heard: string[] = []
  let failures = 1
  const reaction = when('probe.step', 'probe.bundles', async (tx, events) => {
    const steps = (events as unknown as Event<Step>[]).map(({ data }) => `${data.subject}${data.number}`)
    if (steps.includes('b2') && failures-- > 0) throw new Error('not yet')
    tx.afterCommit(() => void heard.push(...steps))
  })
  await using app = await start({}, { reactions: [reaction] })
  const step = (subject: string, number: number) => ({ event: 'probe.step', subject, data: { subject, number } })
  await app.inTx(async (tx) => {
    await tx.publishAll([step('a', 1), step('b', 1)])
    const bundle = [step('a', 2), step('b', 2)].map(({ subject, data }) => ({ id: newId(), subject, data }))
    await tx.rawQuery(
      `insert into platform.outbox (id, workspace_id, event, subject, is_bundle, data)
       values ($1, $2, 'probe.step', 'many', true, $3)`,
      [newId(), tx.workspaceId, JSON.stringify(bundle)],
    )
    await tx.publishAll([step('a', 3), step('c', 1)])
  })
  await app.drain()
  expect(heard).toEqual(['a1', 'b1'])
  await passDelays(app)
  await app.drain()
  expect(heard).toEqual(['a1', 'b1', 'a2', 'b2', 'a3', 'c1'])
})

test('what makes no sense is set aside at its first try, and its neighbours go on', async () => {
  const heard: unknown[] = []
  const reaction = when('probe.step', 'probe.sense', async (tx, events) => {
    if (events.some(({ data }) => data.number === 1)) throw new NotUnderstood('not_understood', 'One is no number.')
    tx.afterCommit(() => void heard.push(...events.map(({ data }) => data.number)))
  })
  await using app = await start({}, { reactions: [reaction] })
  await app.inTx((tx) =>
    tx.publishAll([0, 1, 2].map((number) => ({ event: 'probe.step', subject: 'same', data: { number } }))),
  )
  await app.drain()
  expect(heard).toEqual([0, 2])
  const { data } = (await app.as('adrian').get('/events/failed')).body
  expect(data).toMatchObject([{ data: { number: 1 }, attempts: 1, error: 'One is no number.' }])
})

test('bundles, which are ours alone, stay closed to a reaction to other programs', async () => {
  const heard: unknown[] = []
  const hear = async (_tx: unknown, events: Event[]) => void heard.push(...events.map(({ data }) => data.number))
  await using app = await start(
    {},
    { reactions: [{ ...when('probe.step', 'probe.outside', hear), fromOutside: true }] },
  )
  await app.inTx((tx) =>
    publishBundles(tx, 'all', sql`values ('probe.step', gen_random_uuid(), 'a', '{"number": 1}'::jsonb, 1::bigint)`),
  )
  await app.inTx((tx) => tx.publish('probe.step', 'a', { number: 2 }))
  await app.drain()
  expect(heard).toEqual([2])
  expect(await waiting(app)).toBe(0)
})

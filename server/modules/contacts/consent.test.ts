import fc from 'fast-check'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { systemActor } from '#platform/actor.ts'
import { newId } from '#platform/ids.ts'
import { start, type TestApp } from '#testing/start.ts'
import { recordConsent, type ConsentEntry } from './consent.ts'
import { resolveContact } from './identity.ts'
import { isSuppressed, suppress } from './suppression.ts'

async function makeContact(app: TestApp, email = `${newId()}@example.org`) {
  const { contact } = await app.inTx((tx) =>
    resolveContact(tx, systemActor(tx.workspaceId), { email, first_name: 'Maria', source: 'test' }),
  )
  await app.drainEvents()
  return contact
}

const record = (app: TestApp, ...entries: ConsentEntry[]) =>
  app.inTx((tx) => recordConsent(tx, app.app.runtime, entries))

function readContact(app: TestApp, id: string) {
  return app.inTx((tx) =>
    tx.sql.selectFrom('contacts.contacts').selectAll().where('id', '=', id).executeTakeFirstOrThrow(),
  )
}

async function readLedger(app: TestApp, id: string) {
  return app.inTx((tx) =>
    tx.sql
      .selectFrom('contacts.consents')
      .selectAll()
      .where('contact_id', '=', id)
      .orderBy('recorded_at')
      .orderBy('id')
      .execute(),
  )
}

test('a grant writes the ledger, the flag, the date, the timeline and one event', async () => {
  await using app = await start()
  const contact = await makeContact(app)
  const wording = 'I want the newsletter.'
  await record(app, { contactId: contact.id, purpose: 'newsletter', decision: 'granted', source: 'person', wording })
  expect(await readContact(app, contact.id)).toMatchObject({
    newsletter_subscribed: true,
    marketing_subscribed: false,
    status: 'active',
    subscribed_at: expect.any(Date),
  })
  expect(await readLedger(app, contact.id)).toMatchObject([
    { decision: 'granted', wording, wording_sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
  ])
  const timeline = await app.as('victor').get(`/contacts/${contact.id}/consents`)
  expect(timeline.body.data).toHaveLength(1)
  expect(await app.drainEvents()).toEqual(['contact.subscribed'])
  // Once more says nothing new.
  await record(app, { contactId: contact.id, purpose: 'newsletter', decision: 'granted', source: 'person', wording })
  expect(await readLedger(app, contact.id)).toHaveLength(1)
  expect(await app.drainEvents()).toEqual([])
})

test('unsubscribing from everything is one event, one status and one suppressed address', async () => {
  await using app = await start()
  const contact = await makeContact(app)
  const both = (decision: 'granted' | 'withdrawn', source: ConsentEntry['source']) =>
    (['newsletter', 'marketing'] as const).map((purpose) => ({ contactId: contact.id, purpose, decision, source }))
  await record(app, ...both('granted', 'person'))
  expect(await app.drainEvents()).toEqual(['contact.subscribed'])
  await record(app, ...both('withdrawn', 'one_click'))
  expect(await app.drainEvents()).toEqual(['contact.unsubscribed'])
  expect(await readContact(app, contact.id)).toMatchObject({
    status: 'unsubscribed',
    newsletter_subscribed: false,
    marketing_subscribed: false,
    unsubscribed_at: expect.any(Date),
  })
  const asked = [contact.email.toUpperCase(), 'other@example.org']
  const suppressed = (category: 'marketing' | 'transactional') =>
    app.inTx((tx) => isSuppressed(tx, app.app.runtime, asked, category))
  expect([...(await suppressed('marketing'))]).toEqual([asked[0]])
  expect([...(await suppressed('transactional'))]).toEqual([])
  // Neither the team nor an import takes that back; the person does.
  const byTeam = await record(app, ...both('granted', 'person'))
  expect(byTeam.refused.map(({ reason }) => reason)).toEqual(['unsubscribed_by_person', 'unsubscribed_by_person'])
  const byImport = await record(app, ...both('granted', 'import'))
  expect(byImport).toMatchObject({ recorded: [], refused: [{}, {}] })
  expect(await app.drainEvents()).toEqual([])
  await record(app, ...both('granted', 'confirmation_link'))
  expect(await readContact(app, contact.id)).toMatchObject({
    status: 'active',
    newsletter_subscribed: true,
    unsubscribed_at: null,
  })
  expect([...(await suppressed('marketing'))]).toEqual([])
})

test('a suppressed address stays silent when it comes back as a new contact', async () => {
  await using app = await start()
  const first = await makeContact(app, 'gone@example.org')
  await record(
    app,
    ...(['newsletter', 'marketing'] as const).map(
      (purpose) =>
        ({ contactId: first.id, purpose, decision: 'withdrawn', source: 'one_click' }) satisfies ConsentEntry,
    ),
  )
  await app.inTx((tx) => sql`update contacts.contacts set deleted_at = now() where id = ${first.id}`.execute(tx.sql))
  const second = await makeContact(app, 'Gone@Example.org')
  for (const source of ['import', 'bulk', 'person', 'api'] as const) {
    const outcome = await record(app, { contactId: second.id, purpose: 'newsletter', decision: 'granted', source })
    expect(outcome.refused, source).toHaveLength(1)
  }
  expect((await readContact(app, second.id)).newsletter_subscribed).toBe(false)
})

test('the strictest reason of a suppression stays, and bounces and complaints show', async () => {
  await using app = await start()
  const contact = await makeContact(app, 'bounce@example.org')
  await app.inTx((tx) => suppress(tx, app.app.runtime, [contact.email], 'complaint'))
  await app.inTx((tx) => suppress(tx, app.app.runtime, [contact.email], 'hard_bounce'))
  expect((await readContact(app, contact.id)).status).toBe('complained')
  const { rows } = await app.inTx((tx) =>
    sql<{ reason: string }>`select reason from contacts.suppressions`.execute(tx.sql),
  )
  expect(rows).toEqual([{ reason: 'complaint' }])
  await record(app, { contactId: contact.id, purpose: 'newsletter', decision: 'granted', source: 'confirmation_link' })
  expect((await readContact(app, contact.id)).status).toBe('complained')
  const still = await app.inTx((tx) => isSuppressed(tx, app.app.runtime, [contact.email], 'transactional'))
  expect(still.size).toBe(1)
})

test('a withdrawal that commits while a grant waits wins', async () => {
  await using app = await start()
  const contact = await makeContact(app)
  const entry = (decision: 'granted' | 'withdrawn'): ConsentEntry => ({
    contactId: contact.id,
    purpose: 'marketing',
    decision,
    source: 'preference_page',
  })
  let letGo = (): void => {}
  const held = new Promise<void>((resolve) => (letGo = resolve))
  let started = (): void => {}
  const grantBegan = new Promise<void>((resolve) => (started = resolve))
  const granting = app.inTx(async (tx) => {
    await sql`select 1`.execute(tx.sql) // the transaction's own time begins here
    started()
    await held
    return recordConsent(tx, app.app.runtime, [entry('granted')])
  })
  await grantBegan
  await record(app, entry('withdrawn'))
  letGo()
  expect((await granting).refused).toMatchObject([{ reason: 'overtaken' }])
  expect((await readContact(app, contact.id)).marketing_subscribed).toBe(false)
})

test('the application cannot change or remove a row of the ledger', async () => {
  await using app = await start()
  const contact = await makeContact(app)
  await record(app, { contactId: contact.id, purpose: 'newsletter', decision: 'granted', source: 'person' })
  for (const statement of [
    sql`update contacts.consents set decision = 'withdrawn'`,
    sql`delete from contacts.consents`,
    sql`truncate contacts.consents`,
  ]) {
    await expect(app.inTx((tx) => statement.execute(tx.sql))).rejects.toThrow(/permission denied/)
  }
})

test('no sequence of operations leaves a flag without the grant that came last', async () => {
  await using app = await start()
  const purposes = ['newsletter', 'marketing', 'tracking'] as const
  const sources = [
    'person',
    'api',
    'import',
    'bulk',
    'event',
    'one_click',
    'preference_page',
    'confirmation_link',
  ] as const
  const operation = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.array(
        fc.record({
          purpose: fc.constantFrom(...purposes),
          decision: fc.constantFrom('granted' as const, 'withdrawn' as const, 'pending' as const),
          source: fc.constantFrom(...sources),
        }),
        { minLength: 1, maxLength: 4 },
      ),
    },
    { weight: 1, arbitrary: fc.constantFrom('complaint' as const, 'hard_bounce' as const, 'delete' as const) },
  )
  const ownHand = new Set(['one_click', 'preference_page', 'confirmation_link'])
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 12 }), async (operations) => {
      const contact = await makeContact(app)
      for (const step of operations) {
        if (step === 'delete')
          await app.inTx((tx) =>
            sql`update contacts.contacts set deleted_at = now() where id = ${contact.id}`.execute(tx.sql),
          )
        else if (typeof step === 'string') await app.inTx((tx) => suppress(tx, app.app.runtime, [contact.email], step))
        else await record(app, ...step.map((entry) => ({ contactId: contact.id, ...entry })))
      }
      const now = await readContact(app, contact.id)
      const ledger = await readLedger(app, contact.id)
      const flags = {
        newsletter: now.newsletter_subscribed,
        marketing: now.marketing_subscribed,
        tracking: now.tracking_allowed,
      }
      for (const purpose of purposes) {
        const decisions = ledger.filter((row) => row.purpose === purpose && row.decision !== 'pending')
        expect(flags[purpose], purpose).toBe(decisions.at(-1)?.decision === 'granted')
        for (const [index, row] of decisions.entries()) {
          const before = decisions[index - 1]
          if (row.decision === 'granted' && before?.decision === 'withdrawn' && ownHand.has(before.source)) {
            expect(ownHand.has(row.source), 'only the person takes back their own no').toBe(true)
          }
        }
      }
      if (now.status === 'unsubscribed') expect([flags.newsletter, flags.marketing]).toEqual([false, false])
    }),
    { numRuns: 80 },
  )
})

/** What a file says about consent: no "no" is ever lost, and no file takes one back. */
import fc from 'fast-check'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { importFile, rehearse } from '#testing/import-file.ts'
import { start, type TestApp } from '#testing/start.ts'
import { isSuppressed, suppress } from '../suppression.ts'

const consent = { newsletter: true, marketing: true, source: 'Fair 2026', wording: 'Write to me.' }

interface Seen {
  newsletter: boolean
  marketing: boolean
  status: string
}

async function everybody(app: TestApp): Promise<Record<string, Seen>> {
  const { data } = (await app.as('maria').get('/contacts?limit=200')).body
  return Object.fromEntries(
    data.map((contact: Record<string, unknown>) => [
      String(contact.email).toLowerCase(),
      {
        newsletter: contact.newsletter_subscribed,
        marketing: contact.marketing_subscribed,
        status: contact.status,
      },
    ]),
  )
}

const suppressed = (app: TestApp, email: string) =>
  app.inTx(async (tx) => (await isSuppressed(tx, app.app.runtime, [email])).has(email))

test('a yes in the file counts only with a declaration of how it came about', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const csv = 'email,newsletter,marketing\na@example.com,yes,\nb@example.com,,no\n'
  const without = await importFile(app, maria, csv)
  expect(without).toMatchObject({ created: 2, undeclared_consents: 1 })
  expect(await everybody(app)).toMatchObject({ 'a@example.com': { newsletter: false, marketing: false } })
  const withIt = await importFile(app, maria, csv, {
    duplicates: 'update',
    consent: { source: 'Shop', wording: 'Newsletter, please.' },
  })
  expect(withIt).toMatchObject({ updated: 1, skipped: 1, undeclared_consents: 0 })
  expect(await everybody(app)).toMatchObject({
    'a@example.com': { newsletter: true, marketing: false },
    'b@example.com': { newsletter: false, marketing: false },
  })
  // What is not declared for everybody takes nothing from anybody.
  await importFile(app, maria, 'email\na@example.com\n', {
    duplicates: 'update',
    consent: { newsletter: false, marketing: true, source: 'Shop', wording: 'Offers.' },
  })
  expect(await everybody(app)).toMatchObject({ 'a@example.com': { newsletter: true, marketing: true } })
})

test('a no is recorded in mode skip as well, for the known and for rows that fail', async () => {
  await using app = await start()
  const maria = app.as('maria')
  await importFile(app, maria, 'email\na@example.com\nb@example.com\nc@example.com\nd@example.com\n', { consent })
  await app.drainEvents()
  const csv = [
    'email,first_name,status,phone,newsletter',
    'a@example.com,Changed,unsubscribed,,',
    'b@example.com,Changed,,not a number,no',
    'new@example.com,New,unsubscribed,x,',
    'c@example.com,First,,,',
    'C@example.com,Second,bounced,,',
  ].join('\n')
  expect(await importFile(app, maria, csv)).toMatchObject({ rows: 5, updated: 2, skipped: 1, failed: 2, created: 0 })
  const people = await everybody(app)
  expect(people['a@example.com']).toEqual({ newsletter: false, marketing: false, status: 'unsubscribed' })
  expect(people['b@example.com']).toEqual({ newsletter: false, marketing: true, status: 'active' })
  expect(people['c@example.com']).toMatchObject({ status: 'bounced', newsletter: false })
  expect(people['d@example.com']).toEqual({ newsletter: true, marketing: true, status: 'active' })
  expect((await maria.get('/contacts?search=Changed')).body.data).toEqual([])
  expect(await suppressed(app, 'new@example.com')).toBe(true)
  expect(await app.drainEvents()).toContain('contact.updated')
  // The row that failed is not a contact; when it comes again whole, and with a yes, its no still stands.
  await importFile(app, maria, 'email\nnew@example.com\n', { consent })
  expect((await everybody(app))['new@example.com']).toMatchObject({ newsletter: false, marketing: false })
  const again = await importFile(app, maria, csv)
  expect(again).toMatchObject({ updated: 0, skipped: 3, failed: 2 })
})

test.each([
  [
    'Mailchimp',
    'Email Address,Email Marketing Status,MEMBER_RATING',
    'Subscribed',
    'Unsubscribed',
    'Cleaned',
    'Non-Subscribed',
  ],
  ['HubSpot', 'Email,Unsubscribed from all email,Record ID,Lead Status', 'false', 'true', 'TRUE', null],
  ['Brevo', 'EMAIL,EMAIL_BLACKLISTED', '0', '1', 'yes', null],
  ['Salesforce', 'Email,Email Opt Out', '0', '1', 'TRUE', null],
  ['ActiveCampaign', 'Email,Status,Date Subscribed', 'Active', 'Unsubscribed', 'Bounced', 'Unconfirmed'],
  ['French', 'Courriel,Désinscrit', 'non', 'oui', '31/01/2026', null],
])('%s: who left stays out', async (_, header, yes, left, other, never) => {
  await using app = await start()
  const rows = [
    ['yes@example.com', yes],
    ['left@example.com', left],
    ['other@example.com', other],
    ...(never ? [['never@example.com', never]] : []),
  ]
  const csv = [header, ...rows.map((row) => row.join(','))].join('\n')
  expect(await importFile(app, app.as('maria'), csv, { consent })).toMatchObject({ created: rows.length, failed: 0 })
  const people = await everybody(app)
  expect(people['yes@example.com']).toEqual({ newsletter: true, marketing: true, status: 'active' })
  expect(people['left@example.com']).toEqual({ newsletter: false, marketing: false, status: 'unsubscribed' })
  expect(people['other@example.com']).toMatchObject({ newsletter: false, marketing: false })
  expect(people['other@example.com']!.status).not.toBe('active')
  expect(people['never@example.com']).toEqual(
    never ? { newsletter: false, marketing: false, status: 'active' } : undefined,
  )
  expect(await suppressed(app, 'left@example.com')).toBe(true)
})

test('an undo gives back what the import took, but for whom somebody has spoken since', async () => {
  await using app = await start()
  const maria = app.as('maria')
  await importFile(app, maria, 'email\na@example.com\nb@example.com\n', { consent })
  const before = await everybody(app)
  const wrong = await importFile(
    app,
    maria,
    'email,status,tags\na@example.com,unsubscribed,oops\nb@example.com,unsubscribed,\nnew@example.com,unsubscribed,\n',
    { duplicates: 'update' },
  )
  expect(wrong).toMatchObject({ updated: 2, created: 1 })
  const b = (await maria.get('/contacts?search=b@example.com')).body.data[0]
  await app.inTx((tx) =>
    sql`insert into contacts.consents (workspace_id, id, contact_id, purpose, decision, source, recorded_at)
      values (${tx.workspaceId}, gen_random_uuid(), ${b.id}, 'newsletter', 'withdrawn', 'one_click', clock_timestamp())`.execute(
      tx.sql,
    ),
  )
  await maria.post(`/contacts/imports/${wrong.id}/undo`)
  await app.drain()
  const after = await everybody(app)
  expect(after['a@example.com']).toEqual(before['a@example.com'])
  expect(after['b@example.com']).toMatchObject({ newsletter: false })
  expect(after['new@example.com']).toBeUndefined()
  expect(await suppressed(app, 'a@example.com')).toBe(false)
  expect(await suppressed(app, 'new@example.com')).toBe(false)
})

test('whoever was on the list before stays on it after an undo', async () => {
  await using app = await start()
  const maria = app.as('maria')
  await app.inTx((tx) => suppress(tx, app.app.runtime, ['gone@example.com'], 'unsubscribe'))
  const done = await importFile(app, maria, 'email,status\ngone@example.com,unsubscribed\n')
  await maria.post(`/contacts/imports/${done.id}/undo`)
  await app.drain()
  expect(await suppressed(app, 'gone@example.com')).toBe(true)
})

test('whatever files come in whatever order, a no that was said is never a yes again', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const row = fc.record({
    email: fc.constantFrom('a@example.com', 'A@example.com', 'b@example.com', 'c@example.com', 'd@example.com'),
    newsletter: fc.constantFrom('', 'yes', 'no'),
    marketing: fc.constantFrom('', 'yes', 'no'),
    status: fc.constantFrom('', 'subscribed', 'unsubscribed', 'cleaned', 'non-subscribed'),
    gone: fc.constantFrom('', 'no', 'no', 'yes'),
    phone: fc.constantFrom('', '', '', 'broken'),
  })
  const file = fc.record({
    rows: fc.array(row, { minLength: 1, maxLength: 12 }),
    duplicates: fc.constantFrom('skip', 'update', 'merge'),
    consent: fc.constantFrom(undefined, consent, { source: 'x', wording: 'y' }),
    dry: fc.constantFrom(false, false, true),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(file, { minLength: 1, maxLength: 4 }), async (files) => {
      await app.inTx(async (tx) => {
        await sql`delete from contacts.contacts`.execute(tx.sql)
        await sql`delete from contacts.suppressions`.execute(tx.sql)
      })
      const no = { newsletter: new Set<string>(), marketing: new Set<string>() }
      for (const { rows, duplicates, consent: declared, dry } of files) {
        const before = await everybody(app)
        const csv = [
          'email,newsletter,marketing,status,unsubscribed,phone',
          ...rows.map((each) => Object.values(each).join(',')),
        ].join('\n')
        const options = { duplicates, ...(declared ? { consent: declared } : {}) }
        if (dry) {
          await rehearse(app, maria, csv, options)
          expect(await everybody(app)).toEqual(before)
          continue
        }
        const done = await importFile(app, maria, csv, options)
        expect(done.created + done.updated + done.merged + done.skipped + done.failed).toBe(rows.length)
        for (const said of rows) {
          const email = said.email.toLowerCase()
          const isOut = ['unsubscribed', 'cleaned'].includes(said.status) || said.gone === 'yes'
          const isKnown = (await everybody(app))[email] !== undefined
          for (const purpose of ['newsletter', 'marketing'] as const) {
            const saysNo = isOut || said.status === 'non-subscribed' || said[purpose] === 'no'
            // Of somebody who is no contact, because their row failed, only that they left is kept.
            if (saysNo && (isKnown || isOut)) no[purpose].add(email)
          }
        }
        const people = await everybody(app)
        for (const purpose of ['newsletter', 'marketing'] as const)
          for (const email of no[purpose]) expect(people[email]?.[purpose] ?? false, `${email} ${purpose}`).toBe(false)
      }
    }),
    { numRuns: 12 },
  )
}, 120_000)

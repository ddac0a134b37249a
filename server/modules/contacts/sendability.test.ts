import { expect, test } from 'vitest'
import { sendability, type Category, type Sendee, type Unsendable } from './sendability.ts'

const friend: Sendee = {
  email: 'maria@example.org',
  status: 'active',
  is_active: true,
  newsletter_subscribed: true,
  marketing_subscribed: true,
  deleted_at: null,
}

type Case = [what: string, change: Partial<Sendee>, suppressed: boolean, Record<Category, Unsendable | null>]

const same = (answer: Unsendable | null): Record<Category, Unsendable | null> => ({
  marketing: answer,
  newsletter: answer,
  transactional: answer,
})
const all = (answer: Unsendable): Record<Category, Unsendable | null> => ({ ...same(answer), transactional: null })

const cases: Case[] = [
  ['agreed to all', {}, false, same(null)],
  ['deleted', { deleted_at: new Date() }, false, same('deleted')],
  ['switched off by the team', { is_active: false }, false, same('inactive')],
  [
    'unsubscribed',
    { status: 'unsubscribed', newsletter_subscribed: false, marketing_subscribed: false },
    false,
    all('unsubscribed'),
  ],
  ['unsubscribed, whatever the flags say', { status: 'unsubscribed' }, false, all('unsubscribed')],
  ['never asked', { newsletter_subscribed: false, marketing_subscribed: false }, false, all('no_consent')],
  [
    'newsletter alone',
    { marketing_subscribed: false },
    false,
    { marketing: 'no_consent', newsletter: null, transactional: null },
  ],
  [
    'marketing alone',
    { newsletter_subscribed: false },
    false,
    { marketing: null, newsletter: 'no_consent', transactional: null },
  ],
  ['bounced', { status: 'bounced' }, false, same('bounced')],
  ['complained', { status: 'complained' }, false, same('complained')],
  ['suppressed address', {}, true, same('suppressed')],
  ['two addresses in one', { email: 'a@b.example, c@d.example' }, false, same('invalid_address')],
  ['a header in the address', { email: 'a@b.example\r\nBcc: c@d.example' }, false, same('invalid_address')],
]

test.each(cases)('%s', (_what, change, suppressed, expected) => {
  for (const category of ['marketing', 'newsletter', 'transactional'] as const) {
    expect(sendability({ ...friend, ...change }, category, suppressed), category).toBe(expected[category])
  }
})

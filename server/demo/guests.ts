/** Who the guests of the demo are: three thousand people, the same ones every time, with dates counted from today. */
import type { ContactSeed } from '#modules/contacts/index.ts'
import { newId } from '#platform/ids.ts'
import type { Chance } from './random.ts'
import * as words from './words.ts'
import type { Tongue } from './words.ts'

export interface Guest {
  contact: ContactSeed
  /** How often they come: decides bookings, tags and lists. */
  kind: 'passing' | 'occasional' | 'regular' | 'devoted'
  /** How likely a mail is opened, and a link in it followed. */
  reads: number
  clicks: number
  /** What became of the address: `bounced` and the others begin with one of the campaigns. */
  fate: { what: 'stays' } | { what: 'leaves' | 'bounces' | 'complains'; campaign: number }
  /** Asked for the newsletter and never confirmed. */
  unconfirmed: boolean
}

export const dayMs = 86_400_000
const mostDays = 400

export function inviteGuests(chance: Chance, now: Date, count: number, campaigns: number): Guest[] {
  const taken = new Set<string>()
  const guests = Array.from({ length: count }, () => inviteGuest(chance, now, taken, campaigns))
  return guests.toSorted((one, other) => one.contact.created_at.getTime() - other.contact.created_at.getTime())
}

function inviteGuest(chance: Chance, now: Date, taken: Set<string>, campaigns: number): Guest {
  const tongue = chance.weighted<Tongue>([
    ['fr', 62],
    ['en', 22],
    ['ro', 16],
  ])
  const gender = chance.pick(['female', 'male'] as const)
  const firstName = chance.pick((gender === 'female' ? words.womenOf : words.menOf)[tongue])
  const lastName = chance.pick(words.familiesOf[tongue])
  const company = chance.happens(0.28) ? chance.pick(words.companies) : null
  // More and more of them, and many more in summer, would be a story; a growing house is enough.
  const age = mostDays * (1 - Math.sqrt(chance.next()))
  const createdAt = new Date(openingHour(chance, now.getTime() - age * dayMs, now))
  const kind = chance.weighted<Guest['kind']>([
    ['passing', 52],
    ['occasional', 31],
    ['regular', 13],
    ['devoted', 4],
  ])
  const consent = chooseConsent(chance)
  const fate = consent.newsletter ? chooseFate(chance, campaigns) : { what: 'stays' as const }
  return {
    contact: {
      id: newId(),
      email: addressOf(chance, taken, tongue, firstName, lastName, company),
      first_name: firstName,
      last_name: lastName,
      company,
      job_title: company ? chance.pick(words.jobTitles[tongue]) : null,
      phone: chance.happens(0.66) ? phoneOf(chance, tongue) : null,
      gender: chance.happens(0.8) ? gender : null,
      language: tongue,
      timezone: { fr: 'Europe/Paris', ro: 'Europe/Bucharest', en: 'Europe/London' }[tongue],
      source: chance.weighted([
        ['booking', 38],
        ['website', 26],
        ['walk_in', 16],
        ['event', 9],
        ['referral', 7],
        ['instagram', 4],
      ]),
      status: 'active',
      is_active: !chance.happens(0.015),
      newsletter_subscribed: consent.newsletter,
      marketing_subscribed: consent.marketing,
      tracking_allowed: consent.tracking,
      subscribed_at: consent.newsletter
        ? new Date(Math.min(createdAt.getTime() + chance.between(1, 90) * 60_000, now.getTime()))
        : null,
      unsubscribed_at: null,
      custom_fields: fieldsOf(chance, kind),
      created_at: createdAt,
      deleted_at: chance.happens(0.005) ? new Date(now.getTime() - chance.next() * 20 * dayMs) : null,
    },
    kind,
    reads: Math.min(
      0.95,
      { passing: 0.25, occasional: 0.42, regular: 0.6, devoted: 0.75 }[kind] + (chance.next() - 0.5) * 0.5,
    ),
    clicks: 0.12 + chance.next() * 0.35,
    fate,
    unconfirmed: !consent.newsletter && chance.happens(0.08),
  }
}

function chooseConsent(chance: Chance) {
  const newsletter = chance.happens(0.72)
  const marketing = newsletter && chance.happens(0.64)
  return { newsletter, marketing, tracking: newsletter && chance.happens(0.7) }
}

function chooseFate(chance: Chance, campaigns: number): Guest['fate'] {
  const what = chance.weighted([
    ['stays', 930],
    ['leaves', 45],
    ['bounces', 23],
    ['complains', 2],
  ] as const)
  return what === 'stays' ? { what } : { what, campaign: chance.between(0, campaigns - 1) }
}

function addressOf(
  chance: Chance,
  taken: Set<string>,
  tongue: Tongue,
  first: string,
  last: string,
  company: string | null,
): string {
  const domain = company && chance.happens(0.6) ? `${plain(company)}.example` : chance.pick(words.mailboxes[tongue])
  const local = chance.weighted([
    [`${plain(first)}.${plain(last)}`, 6],
    [`${plain(first)[0]}.${plain(last)}`, 2],
    [`${plain(first)}${plain(last).slice(0, 3)}`, 1],
  ])
  for (let number = 1; ; number++) {
    const address = `${local}${number === 1 ? '' : number}@${domain}`
    if (taken.has(address)) continue
    taken.add(address)
    return address
  }
}

/** Ranges that the regulators keep for films and examples (France 06 39 98, United Kingdom 07700 900). */
function phoneOf(chance: Chance, tongue: Tongue): string {
  return tongue === 'en' ? `+447700900${digits(chance, 3)}` : `+3363998${digits(chance, 4)}`
}

function digits(chance: Chance, count: number): string {
  return Array.from({ length: count }, () => chance.between(0, 9)).join('')
}

function fieldsOf(chance: Chance, kind: Guest['kind']): Record<string, unknown> {
  const fields: Record<string, unknown> = {}
  if (chance.happens(0.45)) {
    fields.birthday = `${String(chance.between(1, 12)).padStart(2, '0')}-${String(chance.between(1, 28)).padStart(2, '0')}`
  }
  if (kind !== 'passing' && chance.happens(0.6)) fields.favourite_table = chance.pick(words.tables)
  if (chance.happens(0.12)) fields.allergies = chance.pick(words.allergies)
  if (kind === 'regular' || kind === 'devoted') fields.loyalty_card = `VM-${digits(chance, 6)}`
  return fields
}

function plain(text: string): string {
  const letters = text.normalize('NFKD').replace(/\p{M}/gu, '').replaceAll('Œ', 'Oe').replaceAll('œ', 'oe')
  return letters
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
}

/** Between ten in the morning and ten in the evening of that day, and never in the future. */
export function openingHour(chance: Chance, time: number, now: Date): number {
  const day = Math.floor(time / dayMs) * dayMs
  return Math.min(day + (10 + chance.next() * 12) * 3_600_000, now.getTime() - chance.between(1, 50) * 60_000)
}

/** What the guests did: bookings, meals and vouchers paid, forms, notes, tags, lists. */
import type { MembershipSeed, NoteSeed } from '#modules/contacts/index.ts'
import type { NewInteraction } from '#modules/contacts/index.ts'
import type { Actor } from '#platform/actor.ts'
import { dayMs, type Guest } from './guests.ts'
import type { Chance } from './random.ts'
import { guestNotes, tables } from './words.ts'

export interface Visits {
  interactions: NewInteraction[]
  notes: NoteSeed[]
  listMembers: MembershipSeed[]
  contactTags: MembershipSeed[]
}

interface Named {
  id: string
  name: string
}

export interface House {
  now: Date
  people: Actor[]
  lists: Record<'newsletter' | 'loyal' | 'jazz' | 'companies' | 'cooking' | 'summer', Named>
  tags: Record<
    'regular' | 'vip' | 'vegetarian' | 'glutenFree' | 'family' | 'company' | 'terrace' | 'wine' | 'press',
    Named
  >
}

export function recallVisits(chance: Chance, house: House, guests: Guest[]): Visits {
  const visits: Visits = { interactions: [], notes: [], listMembers: [], contactTags: [] }
  let booking = 4_000
  for (const guest of guests) {
    recallArrival(chance, house, guest, visits)
    for (const at of evenings(chance, house.now, guest))
      recallEvening(chance, house, guest, at, `VM-${booking++}`, visits)
    recallNotes(chance, house, guest, visits)
    placeOnLists(chance, house, guest, visits)
    placeTags(chance, house, guest, visits)
  }
  return visits
}

function recallArrival(chance: Chance, { people }: House, { contact }: Guest, visits: Visits): void {
  const byHand = contact.source === 'walk_in' || contact.source === 'event'
  visits.interactions.push({
    contactId: contact.id,
    type: 'contact_created',
    occurredAt: contact.created_at,
    actor: byHand ? chance.pick(people) : null,
  })
  if (contact.source !== 'website') return
  visits.interactions.push({
    contactId: contact.id,
    type: 'form_submitted',
    description: 'Contact form on the website',
    metadata: { form: 'website_contact' },
    occurredAt: contact.created_at,
  })
}

/** Mostly past; a few have a table for one of the next days. */
function evenings(chance: Chance, now: Date, { kind, contact }: Guest): Date[] {
  const most = { passing: 1, occasional: 3, regular: 9, devoted: 24 }[kind]
  const count = contact.source === 'booking' ? chance.between(1, most) : chance.between(0, most)
  const from = contact.created_at.getTime()
  const until = now.getTime() + (kind === 'passing' ? 0 : 9 * dayMs)
  return Array.from({ length: count }, () => {
    const day = Math.floor((from + chance.next() * (until - from)) / dayMs) * dayMs
    return new Date(day + (chance.happens(0.35) ? 12 : 19) * 3_600_000 + chance.between(0, 6) * 900_000)
  })
    .filter((at) => at.getTime() > from)
    .toSorted((one, other) => one.getTime() - other.getTime())
}

function recallEvening(
  chance: Chance,
  house: House,
  { contact }: Guest,
  at: Date,
  number: string,
  visits: Visits,
): void {
  const guests = chance.weighted([
    [2, 50],
    [4, 22],
    [3, 12],
    [1, 5],
    [6, 6],
    [8, 4],
    [14, 1],
  ])
  const metadata = { date: at.toISOString(), guests, table: chance.pick(tables) }
  const bookedAt = Math.max(
    contact.created_at.getTime(),
    Math.min(at.getTime() - chance.next() * 8 * dayMs, house.now.getTime() - 600_000),
  )
  const common = { contactId: contact.id, bookingId: number, metadata }
  const add = (entry: Pick<NewInteraction, 'type' | 'description' | 'occurredAt'>) =>
    visits.interactions.push({ ...common, ...entry })
  add({ type: 'booking_created', description: `Table for ${guests}, ${number}`, occurredAt: new Date(bookedAt) })
  const leaves = new Date(at.getTime() + 2 * 3_600_000)
  if (leaves > house.now) return
  if (chance.happens(0.09)) {
    const cancelledAt = new Date((bookedAt + at.getTime()) / 2)
    return void add({ type: 'booking_cancelled', description: `Cancelled ${number}`, occurredAt: cancelledAt })
  }
  add({ type: 'booking_completed', description: `Table for ${guests}, ${number}`, occurredAt: leaves })
  const amount = Math.round(guests * (24 + chance.next() * 31) * 100) / 100
  visits.interactions.push({
    contactId: contact.id,
    type: 'purchase',
    description: `Bill of ${amount.toFixed(2)} €`,
    metadata: { amount, currency: 'EUR', order_id: `T-${number.slice(3)}` },
    occurredAt: leaves,
    bookingId: number,
  })
}

function recallNotes(chance: Chance, { now, people }: House, { contact, kind }: Guest, visits: Visits): void {
  const likely = { passing: 0.02, occasional: 0.08, regular: 0.3, devoted: 0.7 }[kind]
  if (!chance.happens(likely)) return
  const writer = chance.pick(people)
  visits.notes.push({
    contact_id: contact.id,
    content: chance.pick(guestNotes),
    created_by: writer.id,
    created_by_name: writer.name,
    created_at: laterThan(chance, contact.created_at, now),
  })
}

function placeOnLists(chance: Chance, { now, lists }: House, guest: Guest, visits: Visits): void {
  const { contact, kind } = guest
  const add = (list: Named, at: Date): void => {
    visits.listMembers.push({ id: list.id, contact_id: contact.id, at })
    visits.interactions.push({
      contactId: contact.id,
      type: 'list_added',
      description: list.name,
      metadata: { list_id: list.id, list_name: list.name },
      occurredAt: at,
    })
  }
  if (contact.newsletter_subscribed || guest.unconfirmed) add(lists.newsletter, contact.created_at)
  if (kind === 'regular' || kind === 'devoted') add(lists.loyal, laterThan(chance, contact.created_at, now))
  if (chance.happens(0.11)) add(lists.jazz, laterThan(chance, contact.created_at, now))
  if (contact.company && chance.happens(0.5)) add(lists.companies, laterThan(chance, contact.created_at, now))
  if (chance.happens(0.03)) add(lists.cooking, laterThan(chance, contact.created_at, now))
  if (contact.language !== 'fr' && chance.happens(0.4)) add(lists.summer, laterThan(chance, contact.created_at, now))
}

function placeTags(chance: Chance, { now, tags }: House, { contact, kind }: Guest, visits: Visits): void {
  const chosen = [
    kind === 'regular' && tags.regular,
    kind === 'devoted' && tags.vip,
    chance.happens(0.07) && tags.vegetarian,
    contact.custom_fields.allergies === 'gluten' && tags.glutenFree,
    chance.happens(0.16) && tags.family,
    contact.company && chance.happens(0.6) && tags.company,
    contact.custom_fields.favourite_table === 'Terrasse' && tags.terrace,
    chance.happens(0.13) && tags.wine,
    chance.happens(0.006) && tags.press,
  ]
  for (const tag of chosen) {
    if (!tag) continue
    const at = laterThan(chance, contact.created_at, now)
    visits.contactTags.push({ id: tag.id, contact_id: contact.id, at })
    visits.interactions.push({
      contactId: contact.id,
      type: 'tag_added',
      description: tag.name,
      metadata: { tag_id: tag.id, tag_name: tag.name },
      occurredAt: at,
    })
  }
}

function laterThan(chance: Chance, from: Date, now: Date): Date {
  const span = Math.min(now.getTime() - from.getTime(), 40 * dayMs)
  return new Date(from.getTime() + chance.next() * span)
}

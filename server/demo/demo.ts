/**
 * The demo: a restaurant with three thousand guests in a workspace of its own, so that every page shows life. Made once,
 * in one transaction: it is there wholly or not at all. Each module writes its own tables; this file only conducts.
 */
import { getWorkspace, listWorkspaceIds, seedHouse } from '#modules/accounts/index.ts'
import {
  createCampaign,
  createTemplate,
  launchCampaign,
  seedLedger,
  seedPastCampaign,
  seedSandbox,
} from '#modules/communication/index.ts'
import { seedTickets } from '#modules/support/index.ts'
import { createList, createTag, hasContacts, importFile, keepFile, seedContacts } from '#modules/contacts/index.ts'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { CannotStart, NotFound } from '#platform/errors.ts'
import type { Runtime } from '#platform/services.ts'
import { recallAnswers } from './answers.ts'
import { recallConsents } from './consents.ts'
import { dayMs, inviteGuests, type Guest } from './guests.ts'
import { letters, type Letter } from './letters.ts'
import { chanceFrom, type Chance } from './random.ts'
import { recallRequests } from './requests.ts'
import { recallVisits, type House } from './visits.ts'
import { fairFile, writeFairFile } from './wine-fair.ts'

/** No workspace that people set up ever gets this id, so nothing else can be taken for the demo. */
export const demoWorkspaceId = '00000000-0000-7000-8000-00006d6f756c'
export const demoOwner = 'camille@vieux-moulin.example'

const guestCount = 3_000
const sentDaysAgo = [62, 33, 6]
const sandboxMails = 60

export async function demoExists(runtime: Runtime): Promise<boolean> {
  return (await listWorkspaceIds(runtime.db)).includes(demoWorkspaceId)
}

/** The demo must not stand among real contacts, nor its invented people be written to for real. */
export async function requireRoom({ db, config }: Runtime): Promise<void> {
  if (config.smtp) {
    throw new CannotStart(
      'The people of the demo are invented, so mail to them stays in the sandbox: start it without SMTP_URL.',
    )
  }
  for (const id of await listWorkspaceIds(db)) {
    if (id === demoWorkspaceId || !(await db.transaction(id, hasContacts))) continue
    throw new CannotStart(
      'There are contacts here already. Give the demo a data folder (DATA_DIR) or database (DATABASE_URL) of its own.',
    )
  }
}

/** Answers whether it was made just now; of several at once, one makes it. */
export async function makeDemo(runtime: Runtime, passwordHash: string): Promise<boolean> {
  const chance = chanceFrom(1789)
  const now = new Date()
  const guests = inviteGuests(chance, now, guestCount, sentDaysAgo.length)
  const csv = writeFairFile(
    chance,
    guests.filter(({ contact }) => !contact.deleted_at).map(({ contact }) => contact.email),
  )
  const file = await keepFile(runtime, demoWorkspaceId, fairFile, csv)
  const made = await runtime.db.transaction(demoWorkspaceId, async (tx) => {
    await tx.rawQuery(`select pg_advisory_xact_lock(hashtextextended('demo', 0))`)
    if (await isThere(tx)) return false
    const people = await openHouse(tx, runtime, now, passwordHash)
    const house = await furnish(tx, people, now)
    await fill(tx, runtime, { chance, house, guests })
    await importFile(tx, people[0]!, runtime, file, {
      listId: house.lists.newsletter.id,
      tags: ['Salon du vin'],
      consent: { newsletter: true, source: 'Salon du vin', wording: 'Oui, envoyez-moi la lettre du Vieux Moulin.' },
    })
    return true
  })
  if (!made) await runtime.files.delete(file.fileKey)
  return made
}

async function isThere(tx: Tx): Promise<boolean> {
  return getWorkspace(tx, demoWorkspaceId).then(
    () => true,
    (error: unknown) => {
      if (error instanceof NotFound) return false
      throw error
    },
  )
}

async function openHouse(tx: Tx, runtime: Runtime, now: Date, passwordHash: string): Promise<Actor[]> {
  const daysAgo = (days: number): Date => new Date(now.getTime() - days * dayMs)
  return seedHouse(tx, runtime, {
    name: 'Le Vieux Moulin',
    slug: 'demo-le-vieux-moulin',
    language: 'fr',
    timezone: 'Europe/Paris',
    country: 'FR',
    currency: 'EUR',
    mailFrom: 'bonjour@vieux-moulin.example',
    postalAddress: 'Le Vieux Moulin, 12 route du Moulin, 33590 Vensac, France',
    createdAt: daysAgo(410),
    owner: { fullName: 'Camille Laurent', email: demoOwner, language: 'en', passwordHash },
    colleagues: [
      {
        fullName: 'Adrien Mercier',
        email: 'adrien@vieux-moulin.example',
        language: 'fr',
        role: 'admin',
        joinedAt: daysAgo(400),
      },
      {
        fullName: 'Mălina Popescu',
        email: 'malina@vieux-moulin.example',
        language: 'ro',
        role: 'marketer',
        joinedAt: daysAgo(260),
      },
      {
        fullName: 'Jack Fletcher',
        email: 'jack@vieux-moulin.example',
        language: 'en',
        role: 'agent',
        joinedAt: daysAgo(120),
      },
    ],
    invited: { email: 'zoe@vieux-moulin.example', role: 'viewer' },
  })
}

async function furnish(tx: Tx, people: Actor[], now: Date): Promise<House> {
  const owner = people[0]!
  const list = (name: string, color: string, description: string) => createList(tx, owner, { name, color, description })
  const tag = (name: string, color: string, priority: number) => createTag(tx, owner, { name, color, priority })
  return {
    now,
    people,
    lists: {
      newsletter: await list('Newsletter', '#8a5a2b', 'La lettre du mois'),
      loyal: await list('Clients fidèles', '#b5462f', 'Trois visites et plus'),
      jazz: await list('Soirées jazz', '#4c3d8f', 'Le vendredi, d’octobre à mai'),
      companies: await list('Entreprises', '#2f6b8a', 'Repas d’équipe et séminaires'),
      cooking: await list('Cours de cuisine', '#3c7d3f', 'Un samedi par mois'),
      summer: await list('Summer visitors', '#c28a1b', 'Guests from abroad'),
    },
    tags: {
      vip: await tag('VIP', '#b5462f', 10),
      regular: await tag('Habitué', '#8a5a2b', 8),
      press: await tag('Presse', '#4c3d8f', 7),
      company: await tag('Entreprise', '#2f6b8a', 5),
      family: await tag('Famille', '#c28a1b', 3),
      vegetarian: await tag('Végétarien', '#3c7d3f', 3),
      glutenFree: await tag('Sans gluten', '#6b7d3c', 3),
      wine: await tag('Amateur de vin', '#7d2f4c', 2),
      terrace: await tag('Terrasse', '#2f8a7d', 1),
    },
  }
}

interface Story {
  chance: Chance
  house: House
  guests: Guest[]
}

/** In the order of the story: what guests allow and take back decides who gets which mail. */
async function fill(tx: Tx, runtime: Runtime, { chance, house, guests }: Story): Promise<void> {
  const visits = recallVisits(chance, house, guests)
  const consents = recallConsents(chance, house.people, guests)
  const sent = await recallCampaigns(tx, runtime, { chance, house, guests })
  const withStatus = (status: string): string[] =>
    guests.filter(({ contact }) => contact.status === status).map(({ contact }) => contact.email)
  await seedContacts(tx, runtime, {
    ...visits,
    contacts: guests.map(({ contact }) => contact),
    consents: [...consents.consents, ...sent.flatMap(({ answers }) => answers.consents)],
    interactions: [visits, consents, ...sent.map(({ answers }) => answers)].flatMap(({ interactions }) => interactions),
    suppressed: {
      unsubscribe: withStatus('unsubscribed'),
      hard_bounce: withStatus('bounced'),
      complaint: withStatus('complained'),
    },
  })
  const newest = sent.at(-1)!
  await seedSandbox(
    tx,
    newest.past,
    newest.answers.deliveries.filter(({ state }) => state === 'sent').slice(-sandboxMails),
  )
  await writeLetters(tx, house)
  await seedTickets(tx, house.people[0]!, runtime, recallRequests(chance, house, guests))
}

async function recallCampaigns(tx: Tx, runtime: Runtime, { chance, house, guests }: Story) {
  const marketer = house.people[2]!
  const sent = []
  for (const [number, days] of sentDaysAgo.entries()) {
    const launchedAt = new Date(Math.floor((house.now.getTime() - days * dayMs) / dayMs) * dayMs + 9 * 3_600_000)
    const letter: Letter = number === sentDaysAgo.length - 1 ? letters.menu : letters.newsletter
    const name = number === sentDaysAgo.length - 1 ? 'Menu de la semaine' : `Lettre du mois · ${monthOf(launchedAt)}`
    const past = await seedPastCampaign(tx, marketer, runtime, campaignOf(name, letter, house.lists.newsletter.id))
    const answers = recallAnswers(
      chance,
      house.now,
      { ...past, name, subject: letter.subject, number, launchedAt },
      guests,
    )
    await seedLedger(tx, past, launchedAt, answers.deliveries)
    sent.push({ past, answers })
  }
  return sent
}

async function writeLetters(tx: Tx, { now, people, lists }: House): Promise<void> {
  const marketer = people[2]!
  for (const { name, subject, html } of Object.values<Letter>(letters)) {
    await createTemplate(tx, marketer, { name, subject, body_html: html })
  }
  const sendAt = new Date(Math.floor(now.getTime() / dayMs) * dayMs + 9 * dayMs + 9 * 3_600_000)
  const next = campaignOf(`Lettre du mois · ${monthOf(sendAt)}`, letters.newsletter, lists.newsletter.id)
  const { campaign } = await createCampaign(tx, marketer, next)
  await launchCampaign(tx, marketer, campaign.id, { sendAt, timezone: 'Europe/Paris' })
  const jazz: Letter = { ...letters.newsletter, subject: 'Vendredi, le jazz revient au Moulin' }
  await createCampaign(tx, marketer, { ...campaignOf('Soirée jazz', jazz, lists.jazz.id), category: 'marketing' })
}

function campaignOf(name: string, letter: Letter, listId: string) {
  return {
    name,
    category: 'newsletter' as const,
    target_audience: { list_ids: [listId] },
    channels: [
      {
        type: 'email' as const,
        config: { subject: letter.subject, from_name: 'Le Vieux Moulin' },
        content_template: letter.html,
      },
    ],
  }
}

function monthOf(date: Date): string {
  return new Intl.DateTimeFormat('fr', { month: 'long', timeZone: 'Europe/Paris' }).format(date)
}

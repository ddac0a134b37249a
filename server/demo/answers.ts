/**
 * What became of a campaign: who got it, who did not and why, who opened it, followed a link, left. Guests change on the
 * way: whoever bounced or left is skipped by the next campaign, for that reason.
 */
import type { DeliverySeed, PastCampaign } from '#modules/communication/index.ts'
import type { ConsentSeed, NewInteraction } from '#modules/contacts/index.ts'
import { newId } from '#platform/ids.ts'
import { withdrawalsOf } from './consents.ts'
import type { Guest } from './guests.ts'
import type { Chance } from './random.ts'

export interface SentCampaign extends Pick<PastCampaign, 'id' | 'links'> {
  name: string
  subject: string
  number: number
  launchedAt: Date
}

export interface Answers {
  deliveries: DeliverySeed[]
  interactions: NewInteraction[]
  consents: ConsentSeed[]
}

const hourMs = 3_600_000
const perSecond = 14

const passingFailures: [{ reason: string; code: number; response: string }, number][] = [
  [{ reason: 'mailbox_full', code: 552, response: '552 5.2.2 The mailbox is full' }, 5],
  [{ reason: 'policy', code: 554, response: '554 5.7.1 Message refused by the policy of this domain' }, 3],
  [{ reason: 'expired', code: 451, response: '451 4.3.0 Try again later' }, 2],
]

export function recallAnswers(chance: Chance, now: Date, campaign: SentCampaign, guests: Guest[]): Answers {
  const answers: Answers = { deliveries: [], interactions: [], consents: [] }
  const invited = guests.filter(
    ({ contact, unconfirmed }) =>
      (contact.subscribed_at || unconfirmed) &&
      (contact.subscribed_at ?? contact.created_at) < campaign.launchedAt &&
      !contact.deleted_at,
  )
  for (const [place, guest] of invited.entries()) {
    const sentAt = new Date(campaign.launchedAt.getTime() + 2_000 + (place / perSecond) * 1_000)
    const delivery = deliver(chance, campaign, guest, sentAt)
    answers.deliveries.push(delivery)
    if (delivery.state === 'sent') answer(chance, now, { campaign, guest, delivery, sentAt, answers })
  }
  return answers
}

function deliver(chance: Chance, { number }: SentCampaign, { contact, fate }: Guest, sentAt: Date): DeliverySeed {
  const delivery: DeliverySeed = {
    id: newId(),
    contact_id: contact.id,
    email: contact.email,
    full_name: `${contact.first_name} ${contact.last_name}`,
    state: 'skipped',
    reason: null,
    code: null,
    response: null,
    attempts: 0,
    tracked: false,
    sent_at: null,
    opens: 0,
    opens_machine: 0,
    opened_at: null,
    clicks: [],
    unsubscribed_at: null,
  }
  const refusal = refusalOf(contact)
  if (refusal) return { ...delivery, reason: refusal }
  if (fate.what === 'bounces' && fate.campaign === number) {
    contact.status = 'bounced'
    const response = '550 5.1.1 The mailbox does not exist'
    return { ...delivery, state: 'failed', reason: 'invalid_mailbox', code: 550, response, attempts: 1 }
  }
  if (chance.happens(0.008)) {
    const failure = chance.weighted(passingFailures)
    return { ...delivery, ...failure, state: 'failed', attempts: failure.reason === 'expired' ? 10 : 1 }
  }
  const sent = { code: 250, response: '250 2.0.0 kept in the sandbox', attempts: chance.happens(0.02) ? 2 : 1 }
  return { ...delivery, ...sent, state: 'sent', tracked: contact.tracking_allowed, sent_at: sentAt }
}

/** In the order in which the engine asks. */
function refusalOf(contact: Guest['contact']): string | null {
  if (!contact.is_active) return 'inactive'
  if (contact.status !== 'active') return contact.status
  return contact.newsletter_subscribed ? null : 'no_consent'
}

interface Reader {
  campaign: SentCampaign
  guest: Guest
  delivery: DeliverySeed
  sentAt: Date
  answers: Answers
}

function answer(chance: Chance, now: Date, reader: Reader): void {
  const { campaign, guest, delivery, sentAt, answers } = reader
  const { contact } = guest
  const later = (hours: number): Date | null => {
    const at = new Date(sentAt.getTime() + hours * hourMs)
    return at < now ? at : null
  }
  const tell = (type: NewInteraction['type'], description: string, at: Date, metadata: object = {}): void =>
    void answers.interactions.push({
      contactId: contact.id,
      type,
      description,
      occurredAt: at,
      campaignId: campaign.id,
      metadata,
    })
  tell('email_sent', campaign.subject, sentAt, { campaign_name: campaign.name, delivery_id: delivery.id })

  const openedAt = chance.happens(guest.reads) ? later(0.05 - Math.log(1 - chance.next()) * 14) : null
  if (delivery.tracked && chance.happens(0.16)) {
    delivery.opens_machine = chance.between(1, 3)
    tell('email_opened', 'Opened an e-mail', new Date(sentAt.getTime() + 900), { machine: true })
  }
  if (delivery.tracked && openedAt) {
    delivery.opens = chance.weighted([
      [1, 70],
      [2, 20],
      [3, 7],
      [5, 3],
    ])
    delivery.opened_at = openedAt
    tell('email_opened', 'Opened an e-mail', openedAt)
  }
  if (contact.company && chance.happens(0.22)) scan(reader, tell)
  if (openedAt && chance.happens(guest.clicks)) click(chance, reader, openedAt, tell)
  if (guest.fate.what === 'leaves' && guest.fate.campaign === campaign.number)
    leave(reader, later(chance.next() * 30), tell)
  if (guest.fate.what === 'complains' && guest.fate.campaign === campaign.number)
    complain(reader, later(1 + chance.next() * 9), tell)
}

type Tell = (type: NewInteraction['type'], description: string, at: Date, metadata?: object) => void

/** A company's mail filter follows every link, seconds after the mail came. */
function scan({ campaign, delivery, sentAt }: Reader, tell: Tell): void {
  const at = new Date(sentAt.getTime() + 1_400)
  delivery.clicks = campaign.links.map(({ number }) => ({ number, first_at: at, clicks: 0, clicks_machine: 1 }))
  for (const { url } of campaign.links) tell('email_clicked', 'Clicked a link in an e-mail', at, { url, machine: true })
}

function click(chance: Chance, { campaign, delivery }: Reader, openedAt: Date, tell: Tell): void {
  const link = chance.pick(campaign.links)
  const at = new Date(openedAt.getTime() + chance.between(8, 240) * 1_000)
  const scanned = delivery.clicks.find(({ number }) => number === link.number)
  const clicks = chance.weighted([
    [1, 80],
    [2, 20],
  ])
  delivery.clicks = [
    ...delivery.clicks.filter(({ number }) => number !== link.number),
    { number: link.number, first_at: at, clicks, clicks_machine: scanned?.clicks_machine ?? 0 },
  ]
  tell('email_clicked', 'Clicked a link in an e-mail', at, { url: link.url })
}

function leave({ campaign, guest, delivery, answers }: Reader, at: Date | null, tell: Tell): void {
  if (!at) return
  delivery.unsubscribed_at = at
  withdraw(guest, at, 'unsubscribed')
  answers.consents.push(...withdrawalsOf(guest, campaign.id, at, 'one_click'))
  tell('unsubscribed', 'Unsubscribed from newsletter and marketing', at, {
    subscription_type: 'all',
    source: 'one_click',
  })
}

function complain({ campaign, guest, answers }: Reader, at: Date | null, tell: Tell): void {
  if (!at) return
  withdraw(guest, at, 'complained')
  answers.consents.push(...withdrawalsOf(guest, campaign.id, at, 'complaint'))
  tell('email_complained', 'Marked an e-mail as spam', at)
}

function withdraw({ contact }: Guest, at: Date, status: 'unsubscribed' | 'complained'): void {
  Object.assign(contact, { status, newsletter_subscribed: false, marketing_subscribed: false, unsubscribed_at: at })
}

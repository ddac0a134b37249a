/** What the guests allowed, when, and to which words; and who took it back. */
import type { ConsentSeed, NewInteraction } from '#modules/contacts/index.ts'
import type { Actor } from '#platform/actor.ts'
import type { Guest } from './guests.ts'
import type { Chance } from './random.ts'
import type { Tongue } from './words.ts'

const wordings: Record<Tongue, Record<'newsletter' | 'marketing' | 'tracking', string>> = {
  fr: {
    newsletter:
      'Je souhaite recevoir la lettre du Vieux Moulin (une fois par mois). Je peux me désabonner à tout moment.',
    marketing: 'J’accepte de recevoir les offres et invitations du Vieux Moulin par e-mail.',
    tracking: 'J’accepte que Le Vieux Moulin mesure si j’ouvre ses e-mails, pour m’écrire moins et mieux.',
  },
  en: {
    newsletter:
      'I would like to receive the newsletter of Le Vieux Moulin (once a month). I can unsubscribe at any time.',
    marketing: 'I agree to receive offers and invitations from Le Vieux Moulin by e-mail.',
    tracking: 'I agree that Le Vieux Moulin measures whether I open its e-mails, to write less and better.',
  },
  ro: {
    newsletter: 'Doresc să primesc scrisoarea lunară Le Vieux Moulin. Mă pot dezabona oricând.',
    marketing: 'Sunt de acord să primesc oferte și invitații de la Le Vieux Moulin prin e-mail.',
    tracking: 'Sunt de acord ca Le Vieux Moulin să măsoare dacă deschid e-mailurile sale.',
  },
}

const browsers = [
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0',
  'Mozilla/5.0 (Linux; Android 15; Pixel 8) AppleWebKit/537.36 Chrome/138.0.0.0 Mobile Safari/537.36',
]

export function recallConsents(
  chance: Chance,
  people: Actor[],
  guests: Guest[],
): { consents: ConsentSeed[]; interactions: NewInteraction[] } {
  const consents: ConsentSeed[] = []
  const interactions: NewInteraction[] = []
  for (const guest of guests) {
    const { contact } = guest
    if (guest.unconfirmed) consents.push(...requestOf(chance, guest))
    if (!contact.subscribed_at) continue
    consents.push(...grantsOf(chance, people, guest))
    interactions.push({
      contactId: contact.id,
      type: 'subscribed',
      description: contact.marketing_subscribed ? 'Subscribed to newsletter and marketing' : 'Subscribed to newsletter',
      metadata: { subscription_type: contact.marketing_subscribed ? 'all' : 'newsletter' },
      occurredAt: contact.subscribed_at,
    })
  }
  return { consents, interactions }
}

/** By the link in a mail for those who came by themselves; recorded by the house for those who said it at the counter. */
function grantsOf(chance: Chance, people: Actor[], { contact }: Guest): ConsentSeed[] {
  const wording = wordings[contact.language as Tongue]
  const atCounter = contact.source === 'walk_in' || contact.source === 'event'
  const common = {
    contact_id: contact.id,
    decision: 'granted' as const,
    source: atCounter ? 'person' : 'confirmation_link',
    ip: atCounter ? null : `203.0.113.${chance.between(1, 254)}`,
    user_agent: atCounter ? null : chance.pick(browsers),
    evidence: atCounter
      ? { place: 'counter' }
      : { form: contact.source === 'booking' ? 'booking_form' : 'website_footer', requested_at: contact.created_at },
    actor_name: atCounter ? chance.pick(people).name : '',
    recorded_at: contact.subscribed_at!,
  }
  const agreed = {
    newsletter: contact.newsletter_subscribed,
    marketing: contact.marketing_subscribed,
    tracking: contact.tracking_allowed,
  }
  const purposes = (['newsletter', 'marketing', 'tracking'] as const).filter((purpose) => agreed[purpose])
  return purposes.map((purpose) => ({ ...common, purpose, wording: wording[purpose] }))
}

function requestOf(chance: Chance, { contact }: Guest): ConsentSeed[] {
  return [
    {
      contact_id: contact.id,
      purpose: 'newsletter',
      decision: 'pending',
      source: 'form',
      wording: wordings[contact.language as Tongue].newsletter,
      ip: `203.0.113.${chance.between(1, 254)}`,
      user_agent: chance.pick(browsers),
      evidence: { form: 'website_footer' },
      actor_name: '',
      recorded_at: contact.created_at,
    },
  ]
}

/** Both at once, by the button of the mail program, as the standard for it says. */
export function withdrawalsOf(
  guest: Guest,
  campaignId: string,
  at: Date,
  source: 'one_click' | 'complaint',
): ConsentSeed[] {
  return (['newsletter', 'marketing'] as const).map((purpose) => ({
    contact_id: guest.contact.id,
    purpose,
    decision: 'withdrawn',
    source,
    wording: '',
    ip: null,
    user_agent: null,
    evidence: { campaign_id: campaignId },
    actor_name: '',
    recorded_at: at,
  }))
}

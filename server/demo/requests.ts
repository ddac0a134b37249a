/** What guests asked of the house lately: the last weeks of its help desk. */
import type { TicketSeed } from '#modules/support/index.ts'
import { dayMs, type Guest } from './guests.ts'
import type { Chance } from './random.ts'
import type { House } from './visits.ts'

type Request = Omit<TicketSeed, 'contact_id' | 'openedAt'> & { daysAgo: number }

export function recallRequests(chance: Chance, house: House, guests: Guest[]): TicketSeed[] {
  const regulars = guests.filter(
    ({ kind, contact }) => kind !== 'passing' && !contact.deleted_at && contact.status === 'active',
  )
  return requests(house).map(({ daysAgo, ...request }) => ({
    ...request,
    contact_id: chance.pick(regulars).contact.id,
    openedAt: new Date(house.now.getTime() - daysAgo * dayMs),
  }))
}

/** Camille and Adrien run the house, Jack answers. */
function requests({ people }: House): Request[] {
  const [camille, adrien, , jack] = people as [
    House['people'][0],
    House['people'][0],
    House['people'][0],
    House['people'][0],
  ]
  return [
    {
      daysAgo: 21,
      subject: 'Facture du repas d’équipe',
      description: 'Bonjour, pourriez-vous m’envoyer la facture du 12 au nom de notre société ? Merci.',
      category: 'facturation',
      source: 'email',
      tags: ['facture'],
      words: [
        {
          afterHours: 1.5,
          agent: jack,
          content: 'Bonjour, à quelle adresse faut-il l’établir ?',
          status: 'waiting_customer',
        },
        { afterHours: 20, content: 'Au 8 quai des Chartrons, 33000 Bordeaux.' },
      ],
      resolved: { afterHours: 22, agent: jack, resolution: 'La facture est partie ce matin par e-mail.' },
    },
    {
      daysAgo: 9,
      subject: 'Gift voucher never arrived',
      description:
        'I ordered a voucher for my sister on Monday and she still has nothing. Her birthday is on Saturday.',
      category: 'vouchers',
      priority: 'high',
      words: [
        { afterHours: 0.4, agent: jack, content: 'I am sorry. I am looking into it now.' },
        {
          afterHours: 0.6,
          agent: jack,
          content: 'The address had a typing error, the mail came back. @Adrien, may I add a glass of crémant?',
          is_internal: true,
          mentions: [adrien.id!],
        },
        { afterHours: 1, agent: adrien, content: 'Of course.', is_internal: true },
      ],
      resolved: {
        afterHours: 1.2,
        agent: jack,
        resolution: 'Sent again to the right address, with two glasses of crémant.',
      },
    },
    {
      daysAgo: 4,
      subject: 'Allergie aux fruits à coque',
      description: 'Nous venons samedi à six, dont une personne très allergique aux noix. Est-ce possible ?',
      category: 'réservation',
      priority: 'urgent',
      source: 'phone',
      tags: ['allergie'],
      words: [
        {
          afterHours: 0.3,
          agent: camille,
          content:
            'Oui : le chef prépare un menu sans aucun fruit à coque, dans une cuisine à part. Puis-je noter votre numéro ?',
          status: 'waiting_customer',
        },
      ],
    },
    {
      daysAgo: 2,
      subject: 'Masă pe terasă pentru zece persoane',
      description: 'Bună ziua, am dori o masă pe terasă vineri la ora 20, pentru zece persoane.',
      category: 'réservation',
      words: [{ afterHours: 3, agent: jack, content: 'Bună ziua! Vorbesc cu colegii și revin astăzi.' }],
    },
    {
      daysAgo: 0.8,
      subject: 'Lost scarf',
      description: 'I think I left a blue scarf at the table by the window on Sunday. Did anybody find it?',
      category: 'other',
      priority: 'low',
      words: [],
    },
    {
      daysAgo: 0.1,
      subject: 'Le lien de réservation ne marche pas',
      description: 'Quand je clique sur « Réserver », la page reste blanche (téléphone, Safari).',
      category: 'technique',
      words: [],
    },
  ]
}

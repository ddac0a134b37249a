/** Reports to begin with: each is a definition like any other, to be run as it stands, saved, and changed. */
import type { Definition } from './definition.ts'
import type { Language } from './labels.ts'

type Said = Record<Language, readonly [name: string, description: string]>

interface Template {
  key: string
  said: Said
  definition(label: (en: string, fr: string, ro: string) => string): Definition
}

const booked = { field: 'total_bookings', op: 'gte', value: 1 }
const bought = { any: [{ field: 'lifetime_value', op: 'gt', value: 0 }, booked] }

const templates: Template[] = [
  {
    key: 'growth_by_month',
    said: {
      en: ['Growth by month', 'New contacts in each month of the last year, compared with the year before'],
      fr: ['Croissance par mois', 'Nouveaux contacts par mois depuis un an, comparés à l’année précédente'],
      ro: ['Creștere pe luni', 'Contacte noi în fiecare lună din ultimul an, față de anul dinainte'],
    },
    definition: () => ({
      group_by: [{ field: 'created_at', by: 'month' }],
      measures: [{ measure: 'count' }],
      period: { field: 'created_at', last_days: 365 },
      compare: true,
    }),
  },
  {
    key: 'by_source',
    said: {
      en: ['Where contacts come from', 'New contacts of the last 90 days by source, and how engaged they are'],
      fr: ['D’où viennent les contacts', 'Nouveaux contacts des 90 derniers jours par source, et leur engagement'],
      ro: ['De unde vin contactele', 'Contacte noi din ultimele 90 de zile după sursă, și cât sunt de implicate'],
    },
    definition: () => ({
      group_by: [{ field: 'source' }],
      measures: [{ measure: 'count' }, { measure: 'share' }, { measure: 'avg', field: 'engagement_score' }],
      period: { field: 'created_at', last_days: 90 },
      compare: true,
    }),
  },
  {
    key: 'top_companies',
    said: {
      en: ['Top companies', 'Companies by the number of their contacts, with what they are worth'],
      fr: ['Principales sociétés', 'Sociétés selon le nombre de leurs contacts, avec leur valeur'],
      ro: ['Companii de top', 'Companii după numărul de contacte, cu valoarea lor'],
    },
    definition: () => ({
      filter: { field: 'company', op: 'is_not_empty' },
      group_by: [{ field: 'company' }],
      measures: [{ measure: 'count' }, { measure: 'sum', field: 'lifetime_value' }],
      limit: 20,
    }),
  },
  {
    key: 'engagement_distribution',
    said: {
      en: ['Engagement', 'How many contacts are how engaged, in bands of ten points'],
      fr: ['Engagement', 'Combien de contacts sont engagés, par tranches de dix points'],
      ro: ['Implicare', 'Câte contacte sunt cât de implicate, în trepte de zece puncte'],
    },
    definition: () => ({
      group_by: [{ field: 'engagement_score', width: 10 }],
      measures: [{ measure: 'count' }, { measure: 'share' }],
    }),
  },
  {
    key: 'booking_conversion',
    said: {
      en: ['Booking conversion', 'Of the contacts of each source, who has booked'],
      fr: ['Conversion en réservations', 'Parmi les contacts de chaque source, qui a réservé'],
      ro: ['Conversie în rezervări', 'Dintre contactele fiecărei surse, cine a rezervat'],
    },
    definition: (label) => ({
      group_by: [{ field: 'source' }],
      measures: [
        { measure: 'count' },
        { measure: 'count', where: booked, name: 'booked', label: label('Have booked', 'Ont réservé', 'Au rezervat') },
        { measure: 'share', where: booked, name: 'conversion', label: label('Conversion', 'Conversion', 'Conversie') },
        { measure: 'sum', field: 'total_bookings' },
      ],
    }),
  },
  {
    key: 'tag_usage',
    said: {
      en: ['Tags', 'How many contacts have each tag, and how engaged they are'],
      fr: ['Étiquettes', 'Combien de contacts ont chaque étiquette, et leur engagement'],
      ro: ['Etichete', 'Câte contacte au fiecare etichetă, și cât sunt de implicate'],
    },
    definition: () => ({
      filter: { field: 'tags', op: 'is_not_empty' },
      group_by: [{ field: 'tags' }],
      measures: [{ measure: 'count' }, { measure: 'share' }, { measure: 'avg', field: 'engagement_score' }],
    }),
  },
  {
    key: 'consent_state',
    said: {
      en: ['Consent', 'Who allows the newsletter and offers, who said no, and who was never asked'],
      fr: ['Consentement', 'Qui accepte la newsletter et les offres, qui a refusé, qui n’a pas été consulté'],
      ro: ['Acord', 'Cine acceptă newsletterul și ofertele, cine a refuzat și cine nu a fost întrebat'],
    },
    definition: () => ({
      group_by: [{ field: 'consent.newsletter' }, { field: 'consent.marketing' }],
      measures: [{ measure: 'count' }, { measure: 'share' }],
    }),
  },
  {
    key: 'inactive',
    said: {
      en: ['Gone quiet', 'Contacts of whom nothing was heard for half a year, by source'],
      fr: ['Devenus silencieux', 'Contacts sans activité depuis six mois, par source'],
      ro: ['Inactivi', 'Contacte de la care nu s-a auzit nimic de jumătate de an, după sursă'],
    },
    definition: () => ({
      filter: {
        all: [
          { field: 'created_at', op: 'older_than_days', value: 180 },
          { field: 'last_engaged_at', op: 'not_within_last_days', value: 180 },
        ],
      },
      group_by: [{ field: 'source' }],
      measures: [
        { measure: 'count' },
        { measure: 'max', field: 'last_engaged_at' },
        { measure: 'sum', field: 'lifetime_value' },
      ],
    }),
  },
  {
    key: 'customers_by_value',
    said: {
      en: ['Customers by value', 'Who has bought or booked, in bands of what they are worth'],
      fr: ['Clients par valeur', 'Qui a acheté ou réservé, par tranches de valeur'],
      ro: ['Clienți după valoare', 'Cine a cumpărat sau rezervat, în trepte de valoare'],
    },
    definition: () => ({
      filter: bought,
      group_by: [{ field: 'lifetime_value', width: 100 }],
      measures: [
        { measure: 'count' },
        { measure: 'sum', field: 'lifetime_value' },
        { measure: 'avg', field: 'total_orders' },
      ],
    }),
  },
  {
    key: 'languages',
    said: {
      en: ['Languages', 'Which language contacts read, and how many of them get the newsletter'],
      fr: ['Langues', 'La langue des contacts, et combien reçoivent la newsletter'],
      ro: ['Limbi', 'Ce limbă citesc contactele, și câte primesc newsletterul'],
    },
    definition: (label) => ({
      group_by: [{ field: 'language' }],
      measures: [
        { measure: 'count' },
        {
          measure: 'share',
          where: { field: 'newsletter_subscribed', op: 'eq', value: true },
          name: 'newsletter',
          label: label('Get the newsletter', 'Reçoivent la newsletter', 'Primesc newsletterul'),
        },
      ],
    }),
  },
]

export function listTemplates(language: Language) {
  const choose = (en: string, fr: string, ro: string) => ({ en, fr, ro })[language]
  return templates.map(({ key, said, definition }) => {
    const [name, description] = said[language]
    return { key, name, description, definition: definition(choose) }
  })
}

/** What the columns of a report are called, for people: in tables, files and mails. */
import type { Language } from '../texts.ts'
import type { Measure, MeasureKind, Unit } from './definition.ts'

export type { Language }

type Words = readonly [en: string, fr: string, ro: string]
const places: Record<Language, 0 | 1 | 2> = { en: 0, fr: 1, ro: 2 }

const fieldWords: Record<string, Words> = {
  first_name: ['First name', 'Prénom', 'Prenume'],
  last_name: ['Last name', 'Nom', 'Nume'],
  company: ['Company', 'Société', 'Companie'],
  job_title: ['Job title', 'Fonction', 'Funcție'],
  gender: ['Gender', 'Genre', 'Gen'],
  language: ['Language', 'Langue', 'Limbă'],
  timezone: ['Time zone', 'Fuseau horaire', 'Fus orar'],
  tags: ['Tag', 'Étiquette', 'Etichetă'],
  lists: ['List', 'Liste', 'Listă'],
  email_domain: ['E-mail domain', 'Domaine de l’adresse', 'Domeniul adresei'],
  status: ['Status', 'Statut', 'Stare'],
  newsletter_subscribed: ['Newsletter', 'Newsletter', 'Newsletter'],
  marketing_subscribed: ['Marketing', 'Marketing', 'Marketing'],
  tracking_allowed: ['Tracking allowed', 'Suivi autorisé', 'Urmărire permisă'],
  subscribed_at: ['Subscribed', 'Inscription', 'Abonare'],
  unsubscribed_at: ['Unsubscribed', 'Désinscription', 'Dezabonare'],
  'consent.newsletter': ['Newsletter consent', 'Consentement newsletter', 'Acord newsletter'],
  'consent.marketing': ['Marketing consent', 'Consentement marketing', 'Acord marketing'],
  'consent.tracking': ['Tracking consent', 'Consentement au suivi', 'Acord de urmărire'],
  'consent.newsletter.at': ['Newsletter consent since', 'Consentement newsletter depuis', 'Acord newsletter din'],
  'consent.marketing.at': ['Marketing consent since', 'Consentement marketing depuis', 'Acord marketing din'],
  'consent.tracking.at': ['Tracking consent since', 'Consentement au suivi depuis', 'Acord de urmărire din'],
  engagement_score: ['Engagement score', 'Score d’engagement', 'Scor de implicare'],
  engagement_level: ['Engagement', 'Engagement', 'Implicare'],
  total_emails_opened: ['E-mails opened', 'E-mails ouverts', 'E-mailuri deschise'],
  total_emails_clicked: ['E-mails clicked', 'E-mails cliqués', 'E-mailuri accesate'],
  last_email_opened_at: ['Last e-mail opened', 'Dernier e-mail ouvert', 'Ultimul e-mail deschis'],
  last_email_clicked_at: ['Last e-mail clicked', 'Dernier e-mail cliqué', 'Ultimul e-mail accesat'],
  last_engaged_at: ['Last engaged', 'Dernière activité', 'Ultima activitate'],
  total_purchases: ['Purchases', 'Achats', 'Achiziții'],
  total_orders: ['Orders', 'Commandes', 'Comenzi'],
  returned_orders: ['Returned orders', 'Commandes retournées', 'Comenzi returnate'],
  total_appointments: ['Appointments', 'Rendez-vous', 'Programări'],
  cancelled_appointments: ['Cancelled appointments', 'Rendez-vous annulés', 'Programări anulate'],
  total_bookings: ['Bookings', 'Réservations', 'Rezervări'],
  total_tickets: ['Tickets', 'Tickets', 'Tichete'],
  open_tickets: ['Open tickets', 'Tickets ouverts', 'Tichete deschise'],
  lifetime_value: ['Lifetime value', 'Valeur client', 'Valoarea clientului'],
  first_order_date: ['First order', 'Première commande', 'Prima comandă'],
  last_order_date: ['Last order', 'Dernière commande', 'Ultima comandă'],
  first_appointment_date: ['First appointment', 'Premier rendez-vous', 'Prima programare'],
  last_appointment_date: ['Last appointment', 'Dernier rendez-vous', 'Ultima programare'],
  last_booking_date: ['Last booking', 'Dernière réservation', 'Ultima rezervare'],
  source: ['Source', 'Source', 'Sursă'],
  is_active: ['Active', 'Actif', 'Activ'],
  created_at: ['Created', 'Création', 'Creare'],
  updated_at: ['Changed', 'Modification', 'Modificare'],
}

const unitWords: Record<Unit, Words> = {
  day: ['day', 'jour', 'zi'],
  week: ['week', 'semaine', 'săptămână'],
  month: ['month', 'mois', 'lună'],
  quarter: ['quarter', 'trimestre', 'trimestru'],
  year: ['year', 'année', 'an'],
}

const measureWords: Record<MeasureKind, Words> = {
  count: ['Contacts', 'Contacts', 'Contacte'],
  share: ['Share', 'Part', 'Pondere'],
  distinct: ['different', 'différents', 'diferite'],
  sum: ['sum', 'somme', 'sumă'],
  avg: ['average', 'moyenne', 'medie'],
  min: ['least', 'minimum', 'minim'],
  max: ['most', 'maximum', 'maxim'],
}

export const reportWords = {
  none: ['(none)', '(aucun)', '(niciunul)'],
  total: ['Total', 'Total', 'Total'],
  before: ['before', 'avant', 'înainte'],
  yes: ['yes', 'oui', 'da'],
  no: ['no', 'non', 'nu'],
  nothing: [
    'No contacts match this report.',
    'Aucun contact ne correspond à ce rapport.',
    'Niciun contact nu corespunde acestui raport.',
  ],
  more: ['More groups than are shown here:', 'Groupes non affichés ici :', 'Grupuri care nu sunt afișate aici:'],
  page: ['Page', 'Page', 'Pagina'],
  until: ['to', 'au', 'până la'],
} satisfies Record<string, Words>

export function word(name: keyof typeof reportWords, language: Language): string {
  return reportWords[name][places[language]]
}

export function fieldLabel(field: string, own: string | null, language: Language): string {
  return own ?? fieldWords[field]?.[places[language]] ?? field
}

export function dimensionLabel(
  { field, by, own }: { field: string; by: Unit | null; own: string | null },
  language: Language,
): string {
  const label = fieldLabel(field, own, language)
  return by ? `${label} (${unitWords[by][places[language]]})` : label
}

export function measureLabel({ asked, own }: { asked: Measure; own: string | null }, language: Language): string {
  if (asked.label) return asked.label
  const called = measureWords[asked.measure][places[language]]
  return asked.field ? `${fieldLabel(asked.field, own, language)} (${called})` : called
}

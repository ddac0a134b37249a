/** What the mails of accounts say, in the languages of the program. */
import type { NoticeText } from '#platform/mail/notice.ts'
import type { Notice } from './background.ts'
import type { Language } from './tables.ts'

type Texts<Values> = Record<Language, (values: Values) => NoticeText>

export const resetTexts: Texts<{ name: string; url: string }> = {
  en: ({ name, url }) => ({
    subject: 'A new password for Rapport',
    paragraphs: [
      `Hello ${name},`,
      'Somebody, most likely you, asked for a new password. The link is good for 30 minutes and works once.',
    ],
    button: { label: 'Choose a new password', url },
    footer: 'If it was not you, there is nothing to do: your password stays as it is.',
  }),
  fr: ({ name, url }) => ({
    subject: 'Un nouveau mot de passe pour Rapport',
    paragraphs: [
      `Bonjour ${name},`,
      'Quelqu’un, sans doute vous, a demandé un nouveau mot de passe. Le lien est valable 30 minutes et ne sert qu’une fois.',
    ],
    button: { label: 'Choisir un nouveau mot de passe', url },
    footer: 'Si ce n’était pas vous, il n’y a rien à faire : votre mot de passe ne change pas.',
  }),
  ro: ({ name, url }) => ({
    subject: 'O parolă nouă pentru Rapport',
    paragraphs: [
      `Bună ziua, ${name},`,
      'Cineva, probabil dumneavoastră, a cerut o parolă nouă. Linkul este valabil 30 de minute și funcționează o singură dată.',
    ],
    button: { label: 'Alegeți o parolă nouă', url },
    footer: 'Dacă nu ați fost dumneavoastră, nu trebuie să faceți nimic: parola rămâne neschimbată.',
  }),
}

export const invitationTexts: Texts<{ workspace: string; inviter: string | null; url: string }> = {
  en: ({ workspace, inviter, url }) => ({
    subject: `Join ${workspace} on Rapport`,
    paragraphs: [
      `${inviter ?? workspace} invites you to work in ${workspace} on Rapport.`,
      'The link is good for seven days and works once.',
    ],
    button: { label: 'Accept the invitation', url },
    footer: 'If you do not know this workspace, you can ignore this mail.',
  }),
  fr: ({ workspace, inviter, url }) => ({
    subject: `Rejoignez ${workspace} sur Rapport`,
    paragraphs: [
      `${inviter ?? workspace} vous invite à travailler dans ${workspace} sur Rapport.`,
      'Le lien est valable sept jours et ne sert qu’une fois.',
    ],
    button: { label: 'Accepter l’invitation', url },
    footer: 'Si vous ne connaissez pas cet espace de travail, ignorez ce message.',
  }),
  ro: ({ workspace, inviter, url }) => ({
    subject: `Alăturați-vă ${workspace} în Rapport`,
    paragraphs: [
      `${inviter ?? workspace} vă invită să lucrați în ${workspace}, în Rapport.`,
      'Linkul este valabil șapte zile și funcționează o singură dată.',
    ],
    button: { label: 'Acceptați invitația', url },
    footer: 'Dacă nu cunoașteți acest spațiu de lucru, puteți ignora mesajul.',
  }),
}

interface Occasion {
  name: string
  ip: string
  userAgent: string
  url: string
}

interface Words {
  greeting: string
  where: string
  review: string
  footer: string
}

const en: Words = {
  greeting: 'Hello',
  where: 'Address and device',
  review: 'Review my sessions',
  footer: 'If it was not you, change your password at once and end your other sessions.',
}
const fr: Words = {
  greeting: 'Bonjour',
  where: 'Adresse et appareil',
  review: 'Voir mes sessions',
  footer: 'Si ce n’était pas vous, changez votre mot de passe sans attendre et terminez vos autres sessions.',
}
const ro: Words = {
  greeting: 'Bună ziua,',
  where: 'Adresa și dispozitivul',
  review: 'Vedeți sesiunile mele',
  footer: 'Dacă nu ați fost dumneavoastră, schimbați imediat parola și încheiați celelalte sesiuni.',
}

export const noticeTexts: Record<Notice['notice'], Texts<Occasion>> = {
  new_device: {
    en: notice(
      'A new sign-in to Rapport',
      'Your account was used to sign in from a device that we had not seen before.',
      en,
    ),
    fr: notice(
      'Nouvelle connexion à Rapport',
      'Votre compte a servi à une connexion depuis un appareil que nous n’avions pas encore vu.',
      fr,
    ),
    ro: notice(
      'O nouă autentificare în Rapport',
      'Contul dumneavoastră a fost folosit pentru autentificare de pe un dispozitiv pe care nu îl cunoșteam.',
      ro,
    ),
  },
  password_changed: {
    en: notice(
      'Your password was changed',
      'The password of your account was changed, and your other sessions have ended.',
      en,
    ),
    fr: notice(
      'Votre mot de passe a été changé',
      'Le mot de passe de votre compte a été changé et vos autres sessions sont terminées.',
      fr,
    ),
    ro: notice(
      'Parola dumneavoastră a fost schimbată',
      'Parola contului a fost schimbată, iar celelalte sesiuni s-au încheiat.',
      ro,
    ),
  },
  two_factor_on: {
    en: notice(
      'Two-factor sign-in is on',
      'From now on, signing in needs a code of your authenticator app as well.',
      en,
    ),
    fr: notice(
      'La double authentification est activée',
      'Désormais, la connexion demande aussi un code de votre application d’authentification.',
      fr,
    ),
    ro: notice(
      'Autentificarea în doi pași este activată',
      'De acum, autentificarea cere și un cod al aplicației dumneavoastră.',
      ro,
    ),
  },
  two_factor_off: {
    en: notice('Two-factor sign-in is off', 'From now on, your password alone is enough to sign in.', en),
    fr: notice(
      'La double authentification est désactivée',
      'Désormais, votre mot de passe suffit pour la connexion.',
      fr,
    ),
    ro: notice(
      'Autentificarea în doi pași este dezactivată',
      'De acum, parola este suficientă pentru autentificare.',
      ro,
    ),
  },
}

function notice(subject: string, what: string, words: Words): (occasion: Occasion) => NoticeText {
  return ({ name, ip, userAgent, url }) => ({
    subject,
    paragraphs: [`${words.greeting} ${name},`, what, `${words.where}: ${ip}, ${plain(userAgent)}`],
    button: { label: words.review, url },
    footer: words.footer,
  })
}

/** The browser's own words about itself are anybody's: no line breaks, no addresses that a mail program would link. */
function plain(text: string): string {
  return text.replace(/[^\w ().,;-]/g, ' ').slice(0, 160)
}

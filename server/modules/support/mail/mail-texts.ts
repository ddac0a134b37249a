/** What the help desk writes by itself, in the languages that Rapport speaks to the public. None of it is the sender's own words. */
import type { Language } from '#modules/contacts/index.ts'

interface MailTexts {
  acknowledged(number: string): { subject: string; text: string }
}

export const mailTexts: Record<Language, MailTexts> = {
  en: {
    acknowledged: (number) => ({
      subject: `We have your message (${number})`,
      text: `Hello,\n\nyour message has arrived. Its number is ${number}.\nTo add something, simply answer this mail.`,
    }),
  },
  fr: {
    acknowledged: (number) => ({
      subject: `Votre message est arrivé (${number})`,
      text: `Bonjour,\n\nvotre message est bien arrivé. Son numéro est ${number}.\nPour le compléter, répondez simplement à ce courriel.`,
    }),
  },
  ro: {
    acknowledged: (number) => ({
      subject: `Am primit mesajul dumneavoastră (${number})`,
      text: `Bună ziua,\n\nmesajul dumneavoastră a ajuns la noi. Numărul lui este ${number}.\nPentru a adăuga ceva, răspundeți la acest e-mail.`,
    }),
  },
}

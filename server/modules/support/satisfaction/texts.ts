/** What the survey says, in the languages that Rapport speaks to the public. Nothing in it was written by anybody else. */
import type { Language } from '#modules/contacts/index.ts'

export interface SurveyTexts {
  subject: (workspace: string) => string
  paragraphs: (number: string) => string[]
  button: string
  footer: (workspace: string) => string
  title: string
  question: (number: string) => string
  scale: [string, string, string, string, string]
  comment: string
  send: string
  thanksTitle: string
  thanks: string
  choose: string
  goneTitle: string
  gone: string
}

export const surveyTexts: Record<Language, SurveyTexts> = {
  en: {
    subject: (workspace) => `How was the help of ${workspace}?`,
    paragraphs: (number) => [
      `Your request ${number} is closed. How did it go? One click and, if you like, a sentence help us to do better.`,
    ],
    button: 'Rate it',
    footer: (workspace) => `You get this mail once, because you asked ${workspace} for help.`,
    title: 'How did it go?',
    question: (number) => `Request ${number}`,
    scale: ['Very bad', 'Bad', 'Fair', 'Good', 'Very good'],
    comment: 'Anything to add? (optional)',
    send: 'Send',
    thanksTitle: 'Thank you',
    thanks: 'Your rating has arrived.',
    choose: 'Please choose one of the five.',
    goneTitle: 'This link is used up',
    gone: 'The request was rated already, is in work again, or the link is too old.',
  },
  fr: {
    subject: (workspace) => `Que pensez-vous de l’aide de ${workspace} ?`,
    paragraphs: (number) => [
      `Votre demande ${number} est close. Comment cela s’est-il passé ? Un clic et, si vous le souhaitez, une phrase nous aident à faire mieux.`,
    ],
    button: 'Donner une note',
    footer: (workspace) =>
      `Vous recevez ce message une seule fois, parce que vous avez demandé de l’aide à ${workspace}.`,
    title: 'Comment cela s’est-il passé ?',
    question: (number) => `Demande ${number}`,
    scale: ['Très mal', 'Mal', 'Moyen', 'Bien', 'Très bien'],
    comment: 'Quelque chose à ajouter ? (facultatif)',
    send: 'Envoyer',
    thanksTitle: 'Merci',
    thanks: 'Votre note est bien arrivée.',
    choose: 'Choisissez l’une des cinq réponses.',
    goneTitle: 'Ce lien a déjà servi',
    gone: 'La demande a déjà été notée, elle est de nouveau en cours, ou le lien est trop ancien.',
  },
  ro: {
    subject: (workspace) => `Cum a fost ajutorul primit de la ${workspace}?`,
    paragraphs: (number) => [
      `Cererea dumneavoastră ${number} este închisă. Cum a decurs? Un clic și, dacă doriți, o propoziție ne ajută să facem mai bine.`,
    ],
    button: 'Acordați o notă',
    footer: (workspace) => `Primiți acest mesaj o singură dată, pentru că ați cerut ajutorul ${workspace}.`,
    title: 'Cum a decurs?',
    question: (number) => `Cererea ${number}`,
    scale: ['Foarte rău', 'Rău', 'Acceptabil', 'Bine', 'Foarte bine'],
    comment: 'Doriți să adăugați ceva? (opțional)',
    send: 'Trimiteți',
    thanksTitle: 'Mulțumim',
    thanks: 'Nota dumneavoastră a ajuns.',
    choose: 'Alegeți unul dintre cele cinci răspunsuri.',
    goneTitle: 'Acest link a fost folosit',
    gone: 'Cererea a fost deja notată, este din nou în lucru, sau linkul este prea vechi.',
  },
}

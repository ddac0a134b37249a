/** What the public pages and their mails say, in the languages that Rapport speaks to the public. */

export const languages = ['en', 'fr', 'ro'] as const
export type Language = (typeof languages)[number]

/** The contact's own language where it is one of ours, else the best that the browser asks for, else English. */
export function chooseLanguage(own: string | null | undefined, acceptLanguage?: string): Language {
  const asked = (acceptLanguage ?? '')
    .slice(0, 500)
    .split(',')
    .map((part) => {
      const [tag = '', quality = 'q=1'] = part.trim().split(';')
      return { tag, quality: Number(quality.trim().replace('q=', '')) || 0 }
    })
    .toSorted((one, other) => other.quality - one.quality)
    .map(({ tag }) => tag)
  for (const tag of [own ?? '', ...asked]) {
    const primary = tag.toLowerCase().split(/[-_]/)[0]
    const known = languages.find((language) => language === primary)
    if (known) return known
  }
  return 'en'
}

interface Texts {
  newsletter: string
  newsletterHint: string
  marketing: string
  marketingHint: string
  tracking: string
  trackingHint: string
  /** The wordings that the consent ledger keeps; `workspace` is the sender's name. */
  wording: Record<'newsletter' | 'marketing' | 'tracking', (workspace: string) => string>
  confirm: {
    title: string
    intro: (workspace: string, address: string) => string
    button: string
    ignore: string
    doneTitle: string
    done: (workspace: string) => string
    goneTitle: string
    gone: string
  }
  unsubscribe: {
    title: string
    intro: (workspace: string, address: string) => string
    button: string
    choose: string
    doneTitle: string
    done: (workspace: string, address: string) => string
    mistake: string
  }
  preferences: {
    title: string
    intro: (workspace: string, address: string) => string
    save: string
    saved: string
    all: string
    transactional: string
  }
  invalid: { title: string; text: string }
  subscribeMail: {
    subject: (workspace: string) => string
    paragraphs: (workspace: string) => string[]
    button: string
    footer: string
  }
  unsubscribeMail: {
    subject: (workspace: string) => string
    paragraphs: (workspace: string) => string[]
    button: string
    footer: string
  }
}

export const texts: Record<Language, Texts> = {
  en: {
    newsletter: 'Newsletter',
    newsletterHint: 'Our regular news by e-mail.',
    marketing: 'Offers and promotions',
    marketingHint: 'E-mails about offers that may interest you.',
    tracking: 'Measure what I open',
    trackingHint: 'Lets us see when you open our e-mails. Off unless you allow it.',
    wording: {
      newsletter: (workspace) =>
        `I want to receive the newsletter of ${workspace} by e-mail. I can unsubscribe at any time.`,
      marketing: (workspace) =>
        `I want to receive offers and promotions of ${workspace} by e-mail. I can unsubscribe at any time.`,
      tracking: (workspace) =>
        `I allow ${workspace} to measure when I open its e-mails. I can withdraw this at any time.`,
    },
    confirm: {
      title: 'Confirm your subscription',
      intro: (workspace, address) => `One more click, and ${address} will receive from ${workspace}:`,
      button: 'Yes, subscribe me',
      ignore: 'You did not ask for this? Close this page, and nothing will be sent to you.',
      doneTitle: 'Thank you, you are subscribed',
      done: (workspace) => `${workspace} has noted your agreement. Every e-mail has a link to unsubscribe.`,
      goneTitle: 'This link is no longer valid',
      gone: 'It has expired, or you unsubscribed in the meantime. To subscribe, fill in the form again.',
    },
    unsubscribe: {
      title: 'Unsubscribe',
      intro: (workspace, address) => `Shall ${workspace} stop sending newsletters and offers to ${address}?`,
      button: 'Unsubscribe',
      choose: 'Choose what I receive instead',
      doneTitle: 'You are unsubscribed',
      done: (workspace, address) => `${workspace} will send no more newsletters or offers to ${address}.`,
      mistake: 'A mistake? Change your preferences',
    },
    preferences: {
      title: 'Your preferences',
      intro: (workspace, address) => `What may ${workspace} send to ${address}?`,
      save: 'Save my choices',
      saved: 'Your choices are saved.',
      all: 'Unsubscribe from everything',
      transactional: 'Messages about your orders, bookings and requests are always sent.',
    },
    invalid: {
      title: 'This link does not work',
      text: 'It may have been cut off on its way. Open it again from the e-mail, or copy the whole address.',
    },
    subscribeMail: {
      subject: (workspace) => `Please confirm your subscription to ${workspace}`,
      paragraphs: (workspace) => [
        `Somebody, probably you, entered this address to receive e-mails from ${workspace}.`,
        'Please confirm that it was you. The link is valid for 7 days.',
      ],
      button: 'Confirm my subscription',
      footer: 'You did not ask for this? Do nothing: you will receive nothing more.',
    },
    unsubscribeMail: {
      subject: (workspace) => `Unsubscribe from ${workspace}`,
      paragraphs: (workspace) => [
        `You asked to receive no more e-mails from ${workspace}.`,
        'Please confirm with the link, so that nobody else can do it in your name.',
      ],
      button: 'Unsubscribe',
      footer: 'You did not ask for this? Do nothing: nothing changes.',
    },
  },
  fr: {
    newsletter: 'Newsletter',
    newsletterHint: 'Nos nouvelles régulières par e-mail.',
    marketing: 'Offres et promotions',
    marketingHint: 'Des e-mails sur les offres qui peuvent vous intéresser.',
    tracking: 'Mesurer mes ouvertures',
    trackingHint: 'Nous permet de voir quand vous ouvrez nos e-mails. Désactivé sans votre accord.',
    wording: {
      newsletter: (workspace) =>
        `Je souhaite recevoir la newsletter de ${workspace} par e-mail. Je peux me désabonner à tout moment.`,
      marketing: (workspace) =>
        `Je souhaite recevoir les offres et promotions de ${workspace} par e-mail. Je peux me désabonner à tout moment.`,
      tracking: (workspace) =>
        `J’autorise ${workspace} à mesurer l’ouverture de ses e-mails. Je peux retirer cet accord à tout moment.`,
    },
    confirm: {
      title: 'Confirmez votre abonnement',
      intro: (workspace, address) => `Encore un clic, et ${address} recevra de ${workspace} :`,
      button: 'Oui, je m’abonne',
      ignore: 'Vous n’avez rien demandé ? Fermez cette page : rien ne vous sera envoyé.',
      doneTitle: 'Merci, vous êtes abonné(e)',
      done: (workspace) => `${workspace} a noté votre accord. Chaque e-mail contient un lien de désabonnement.`,
      goneTitle: 'Ce lien n’est plus valable',
      gone: 'Il a expiré, ou vous vous êtes désabonné(e) entre-temps. Pour vous abonner, remplissez à nouveau le formulaire.',
    },
    unsubscribe: {
      title: 'Se désabonner',
      intro: (workspace, address) => `${workspace} doit-il cesser d’envoyer newsletters et offres à ${address} ?`,
      button: 'Me désabonner',
      choose: 'Choisir plutôt ce que je reçois',
      doneTitle: 'Vous êtes désabonné(e)',
      done: (workspace, address) => `${workspace} n’enverra plus ni newsletter ni offre à ${address}.`,
      mistake: 'Une erreur ? Modifiez vos préférences',
    },
    preferences: {
      title: 'Vos préférences',
      intro: (workspace, address) => `Que peut envoyer ${workspace} à ${address} ?`,
      save: 'Enregistrer mes choix',
      saved: 'Vos choix sont enregistrés.',
      all: 'Me désabonner de tout',
      transactional: 'Les messages sur vos commandes, réservations et demandes sont toujours envoyés.',
    },
    invalid: {
      title: 'Ce lien ne fonctionne pas',
      text: 'Il a peut-être été coupé en route. Ouvrez-le à nouveau depuis l’e-mail, ou copiez l’adresse entière.',
    },
    subscribeMail: {
      subject: (workspace) => `Confirmez votre abonnement à ${workspace}`,
      paragraphs: (workspace) => [
        `Quelqu’un, sans doute vous, a saisi cette adresse pour recevoir les e-mails de ${workspace}.`,
        'Merci de confirmer que c’était bien vous. Le lien est valable 7 jours.',
      ],
      button: 'Confirmer mon abonnement',
      footer: 'Vous n’avez rien demandé ? Ne faites rien : vous ne recevrez rien d’autre.',
    },
    unsubscribeMail: {
      subject: (workspace) => `Se désabonner de ${workspace}`,
      paragraphs: (workspace) => [
        `Vous avez demandé à ne plus recevoir d’e-mails de ${workspace}.`,
        'Merci de confirmer par ce lien, afin que personne ne puisse le faire à votre place.',
      ],
      button: 'Me désabonner',
      footer: 'Vous n’avez rien demandé ? Ne faites rien : rien ne change.',
    },
  },
  ro: {
    newsletter: 'Newsletter',
    newsletterHint: 'Noutățile noastre periodice, prin e-mail.',
    marketing: 'Oferte și promoții',
    marketingHint: 'E-mailuri despre oferte care v-ar putea interesa.',
    tracking: 'Măsurarea deschiderilor',
    trackingHint: 'Ne permite să vedem când deschideți e-mailurile noastre. Dezactivat fără acordul dumneavoastră.',
    wording: {
      newsletter: (workspace) => `Doresc să primesc newsletterul ${workspace} prin e-mail. Mă pot dezabona oricând.`,
      marketing: (workspace) =>
        `Doresc să primesc ofertele și promoțiile ${workspace} prin e-mail. Mă pot dezabona oricând.`,
      tracking: (workspace) =>
        `Permit ca ${workspace} să măsoare deschiderea e-mailurilor sale. Îmi pot retrage acordul oricând.`,
    },
    confirm: {
      title: 'Confirmați abonarea',
      intro: (workspace, address) => `Încă un clic, și ${address} va primi de la ${workspace}:`,
      button: 'Da, mă abonez',
      ignore: 'Nu ați cerut acest lucru? Închideți pagina și nu veți primi nimic.',
      doneTitle: 'Vă mulțumim, sunteți abonat(ă)',
      done: (workspace) => `${workspace} a notat acordul dumneavoastră. Fiecare e-mail conține un link de dezabonare.`,
      goneTitle: 'Acest link nu mai este valabil',
      gone: 'A expirat sau v-ați dezabonat între timp. Pentru abonare, completați din nou formularul.',
    },
    unsubscribe: {
      title: 'Dezabonare',
      intro: (workspace, address) => `${workspace} să nu mai trimită newslettere și oferte la ${address}?`,
      button: 'Mă dezabonez',
      choose: 'Aleg mai bine ce primesc',
      doneTitle: 'V-ați dezabonat',
      done: (workspace, address) => `${workspace} nu va mai trimite newslettere sau oferte la ${address}.`,
      mistake: 'O greșeală? Modificați preferințele',
    },
    preferences: {
      title: 'Preferințele dumneavoastră',
      intro: (workspace, address) => `Ce poate trimite ${workspace} la ${address}?`,
      save: 'Salvează alegerile',
      saved: 'Alegerile au fost salvate.',
      all: 'Dezabonare de la tot',
      transactional: 'Mesajele despre comenzile, rezervările și cererile dumneavoastră se trimit întotdeauna.',
    },
    invalid: {
      title: 'Acest link nu funcționează',
      text: 'Poate a fost tăiat pe drum. Deschideți-l din nou din e-mail sau copiați întreaga adresă.',
    },
    subscribeMail: {
      subject: (workspace) => `Confirmați abonarea la ${workspace}`,
      paragraphs: (workspace) => [
        `Cineva, probabil dumneavoastră, a introdus această adresă pentru a primi e-mailuri de la ${workspace}.`,
        'Vă rugăm să confirmați că ați fost dumneavoastră. Linkul este valabil 7 zile.',
      ],
      button: 'Confirm abonarea',
      footer: 'Nu ați cerut acest lucru? Nu faceți nimic: nu veți mai primi nimic.',
    },
    unsubscribeMail: {
      subject: (workspace) => `Dezabonare de la ${workspace}`,
      paragraphs: (workspace) => [
        `Ați cerut să nu mai primiți e-mailuri de la ${workspace}.`,
        'Vă rugăm să confirmați prin link, pentru ca nimeni altcineva să nu o poată face în locul dumneavoastră.',
      ],
      button: 'Mă dezabonez',
      footer: 'Nu ați cerut acest lucru? Nu faceți nimic: nimic nu se schimbă.',
    },
  },
}

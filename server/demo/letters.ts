/** What the demo's restaurant writes to its guests: templates and the campaigns made of them. */

export const site = 'https://vieux-moulin.example'

const greeting = `{{#if (eq contact.language "ro")}}Bună ziua{{else if (eq contact.language "en")}}Hello{{else}}Bonjour{{/if}} {{default contact.first_name "chers amis"}},`

type Tongue = 'fr' | 'en' | 'ro'

const closings: Record<Tongue, string> = {
  fr: 'À très vite,<br>Camille et toute l’équipe',
  en: 'See you soon,<br>Camille and the whole team',
  ro: 'Pe curând,<br>Camille și toată echipa',
}

export interface Letter {
  name: string
  subject: string
  html: string
}

export const letters = {
  menu: {
    name: 'Menu de la semaine',
    subject: '{{contact.first_name}}, le menu de la semaine',
    html: page(
      'Cette semaine au Moulin',
      `<p>${greeting}</p>
<p>Du mardi au samedi, le chef Bastien vous propose :</p>
<ul>
<li><b>Entrée</b> : huîtres du Médoc, mignonnette à l’échalote</li>
<li><b>Plat</b> : agneau de Pauillac, haricots maïs et jus au thym</li>
<li><b>Dessert</b> : cannelé tiède, glace à la vanille</li>
</ul>
${button(`${site}/menu`, 'Voir la carte')}
<p>{{#if contact.custom_fields.favourite_table}}Votre table préférée, {{contact.custom_fields.favourite_table}}, vous attend :{{else}}Une table vous attend :{{/if}}
<a href="${site}/reserver">réserver</a>.</p>`,
    ),
  },
  newsletter: {
    name: 'Lettre du mois',
    subject: 'Les nouvelles du Vieux Moulin',
    html: page(
      'Les nouvelles du Moulin',
      `<p>${greeting}</p>
<p>La saison change et la carte aussi : cèpes, châtaignes et premiers rouges. Les ailes du moulin tournent de nouveau depuis samedi,
et la visite est offerte avec le déjeuner.</p>
${button(`${site}/carte-de-saison`, 'Découvrir la carte de saison')}
<p>Le vendredi soir, place au jazz : <a href="${site}/jazz">le programme des concerts</a>. Pour vos repas d’équipe,
<a href="${site}/groupes">écrivez-nous</a>, nous gardons le salon du meunier.</p>`,
    ),
  },
  birthday: {
    name: 'Joyeux anniversaire',
    subject: 'Joyeux anniversaire, {{contact.first_name}} !',
    html: page(
      'Un dessert vous attend',
      `<p>${greeting}</p>
<p>Toute l’équipe vous souhaite un très bel anniversaire. Ce mois-ci, le dessert est pour nous.</p>
${button(`${site}/reserver?motif=anniversaire`, 'Réserver une table')}`,
    ),
  },
  welcome: {
    name: 'Welcome to the mill',
    subject: 'Welcome, {{contact.first_name}}',
    html: page(
      'Welcome to Le Vieux Moulin',
      `<p>Hello {{default contact.first_name "there"}},</p>
<p>Thank you for joining us. We are open from Tuesday to Saturday, for lunch and dinner, between the vines and the ocean.</p>
${button(`${site}/en/menu`, 'See the menu')}`,
      'en',
    ),
  },
  romanian: {
    name: 'Bun venit la moară',
    subject: 'Bun venit, {{contact.first_name}}',
    html: page(
      'Bun venit la Le Vieux Moulin',
      `<p>Bună ziua {{default contact.first_name "dragi prieteni"}},</p>
<p>Vă mulțumim că v-ați înscris. Vă așteptăm de marți până sâmbătă, la prânz și la cină.</p>
${button(`${site}/ro/meniu`, 'Vedeți meniul')}`,
      'ro',
    ),
  },
} satisfies Record<string, Letter>

function page(title: string, content: string, language: Tongue = 'fr'): string {
  return `<!doctype html>
<html lang="${language}">
<body style="margin:0;background:#f5f1e8;font-family:Georgia,serif;color:#2b2620">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0"><tr><td align="center" style="padding:32px 16px">
<table role="presentation" width="560" cellpadding="0" cellspacing="0" style="max-width:100%;background:#ffffff;border-radius:8px">
<tr><td style="padding:28px 32px 0;font-size:14px;letter-spacing:2px;color:#8a5a2b">LE VIEUX MOULIN</td></tr>
<tr><td style="padding:8px 32px 28px;font-size:16px;line-height:1.6">
<h1 style="font-size:24px;margin:8px 0 16px">${title}</h1>
${content}
<p>${closings[language]}</p>
</td></tr></table>
</td></tr></table>
</body>
</html>
`
}

function button(url: string, label: string): string {
  return `<p style="margin:24px 0"><a href="${url}" style="background:#8a5a2b;color:#ffffff;padding:12px 20px;border-radius:6px;text-decoration:none">${label}</a></p>`
}

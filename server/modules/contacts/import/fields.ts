/** What a column of a file can become, and the names by which such columns are known. */

export type Kind =
  | 'email'
  | 'text'
  | 'long_text'
  | 'full_name'
  | 'phone'
  | 'gender'
  | 'language'
  | 'timezone'
  | 'tags'
  | 'yes_no'
  | 'status'
  | 'opt_out'
  | 'time'
  | 'money'
  | 'count'
  | 'url'

export interface Field {
  kind: Kind
  /** Headers in English, French, Romanian, German and Spanish: folded, with single spaces. */
  headers: readonly string[]
}

export const fields = {
  email: {
    kind: 'email',
    headers: listed(
      'email, e mail, mail, email address, e mail address, mail address, customer email, ' +
        'contact email, primary email, email 1, e mail 1 value, courriel, adresse email, adresse mail, ' +
        'adresse e mail, adresse courriel, adresa email, adresa de email, adresa e mail, ' +
        'posta electronica, e mail adresse, emailadresse, mailadresse, correo, correo electronico, ' +
        'direccion de correo',
    ),
  },
  first_name: {
    kind: 'text',
    headers: listed(
      'first name, firstname, given name, forename, fname, first, prenom, prenume, vorname, nombre, ' +
        'nombre de pila, rufname',
    ),
  },
  last_name: {
    kind: 'text',
    headers: listed(
      'last name, lastname, surname, family name, lname, last, nom, nom de famille, nume, ' +
        'nume de familie, nachname, familienname, apellido, apellidos',
    ),
  },
  full_name: {
    kind: 'full_name',
    headers: listed(
      'name, full name, fullname, contact name, customer name, display name, contact, nom complet, ' +
        'nom et prenom, nom prenom, prenom nom, nume complet, nume si prenume, vollstandiger name, ' +
        'vor und nachname, nombre completo, nombre y apellidos',
    ),
  },
  company: {
    kind: 'text',
    headers: listed(
      'company, company name, organization, organisation, organization name, employer, business, ' +
        'account, account name, societe, entreprise, raison sociale, companie, firma, societate, ' +
        'unternehmen, organizatie, empresa, compania, organizacion',
    ),
  },
  job_title: {
    kind: 'text',
    headers: listed(
      'job title, jobtitle, title, position, role, job, occupation, fonction, poste, metier, ' +
        'intitule du poste, functie, functia, post, berufsbezeichnung, funktion, stelle, cargo, puesto',
    ),
  },
  phone: {
    kind: 'phone',
    headers: listed(
      'phone, phone number, telephone, tel, mobile, mobile phone, mobile number, cell, cell phone, ' +
        'phone 1, phone 1 value, gsm, portable, numero de telephone, telefon, nr telefon, ' +
        'numar de telefon, mobil, telefonnummer, handy, handynummer, telefono, movil, ' +
        'numero de telefono, celular',
    ),
  },
  gender: {
    kind: 'gender',
    headers: listed('gender, sex, sexe, genre, civilite, gen, geschlecht, sexo, genero'),
  },
  language: {
    kind: 'language',
    headers: listed('language, lang, locale, preferred language, langue, limba, sprache, idioma, lengua'),
  },
  timezone: {
    kind: 'timezone',
    headers: listed('timezone, time zone, tz, fuseau horaire, fus orar, zeitzone, zona horaria'),
  },
  source: {
    kind: 'text',
    headers: listed('source, lead source, origin, origine, provenance, sursa, quelle, herkunft, origen, fuente'),
  },
  notes: {
    kind: 'long_text',
    headers: listed(
      'notes, note, comment, comments, remarks, description, commentaire, commentaires, remarques, ' +
        'observatii, comentarii, notizen, notiz, bemerkung, bemerkungen, notas, comentarios, ' +
        'observaciones',
    ),
  },
  tags: {
    kind: 'tags',
    headers: listed(
      'tags, tag, labels, label, categories, segments, etiquettes, etiquette, mots cles, etichete, ' +
        'schlagworter, stichworter, etiquetas, etiqueta',
    ),
  },
  newsletter_subscribed: {
    kind: 'yes_no',
    headers: listed(
      'newsletter, newsletter subscribed, newsletter consent, subscribed, opt in, optin, ' +
        'email opt in, inscrit newsletter, abonne newsletter, abonne, inscription newsletter, abonat, ' +
        'abonat newsletter, newsletter abonniert, abonniert, suscrito, boletin, suscrito boletin',
    ),
  },
  marketing_subscribed: {
    kind: 'yes_no',
    headers: listed(
      'marketing, marketing subscribed, marketing consent, accepts marketing, ' +
        'accepts email marketing, accepte le marketing, consentement marketing, accept marketing, ' +
        'consimtamant marketing, werbung, marketing einwilligung, acepta marketing, ' +
        'consentimiento marketing',
    ),
  },
  status: { kind: 'status', headers: listed('status, contact status, statut, stare, estado, subscription status') },
  /** Not a column of a contact: a "yes" in it makes the status `unsubscribed`. */
  unsubscribed: {
    kind: 'opt_out',
    headers: listed(
      'unsubscribed, opted out, opt out, optout, email opt out, has opted out of email, email optout, blocklisted, ' +
        'blacklisted, email blacklisted, email blocklisted, do not email, do not contact, unsubscribed from all email, ' +
        'unsub time, unsubscribe date, unsubscribed at, unsubscribe time, desinscrit, desabonne, desinscription, ' +
        'liste noire, dezabonat, abgemeldet, abmeldung, gesperrt, dado de baja, baja',
    ),
  },
  avatar_url: { kind: 'url', headers: listed('avatar, avatar url, photo, photo url, picture, image url') },
  created_at: {
    kind: 'time',
    headers: listed(
      'created at, created, creation date, date created, created on, signup date, date added, ' +
        'customer since, cree le, date de creation, date d inscription, creat la, data crearii, ' +
        'erstellt am, erstellungsdatum, fecha de creacion, creado el',
    ),
  },
  /** Not written: it says which of two values is newer. */
  updated_at: {
    kind: 'time',
    headers: listed(
      'updated at, last modified, last modified date, modified, modified at, modified time, last changed, last updated, ' +
        'update time, derniere modification, date de modification, modifie le, modificat la, data modificarii, ' +
        'zuletzt geandert, geandert am, anderungsdatum, ultima modificacion, modificado el',
    ),
  },
  lifetime_value: {
    kind: 'money',
    headers: listed(
      'lifetime value, ltv, total spent, total spend, revenue, chiffre d affaires, ca, valeur client, ' +
        'total depense, valoare totala, total cheltuit, umsatz, gesamtumsatz, valor total, total gastado',
    ),
  },
  total_orders: {
    kind: 'count',
    headers: listed(
      'total orders, orders, orders count, order count, number of orders, commandes, ' +
        'nombre de commandes, comenzi, numar comenzi, bestellungen, anzahl bestellungen, pedidos, ' +
        'numero de pedidos',
    ),
  },
  total_appointments: {
    kind: 'count',
    headers: listed(
      'total appointments, appointments, rendez vous, nombre de rendez vous, programari, termine, ' + 'citas',
    ),
  },
  total_bookings: {
    kind: 'count',
    headers: listed('total bookings, bookings, reservations, nombre de reservations, rezervari, buchungen, reservas'),
  },
  last_order_date: {
    kind: 'time',
    headers: listed(
      'last order date, last order, derniere commande, ultima comanda, letzte bestellung, ' + 'ultimo pedido',
    ),
  },
  last_appointment_date: {
    kind: 'time',
    headers: listed('last appointment date, last appointment, dernier rendez vous, ultima programare, letzter termin'),
  },
  last_booking_date: {
    kind: 'time',
    headers: listed('last booking date, last booking, derniere reservation, ultima rezervare, letzte buchung'),
  },
} as const satisfies Record<string, Field>

export type FieldName = keyof typeof fields

/** What a column becomes: a field, a key of the custom fields, or nothing. */
export type Target = FieldName | `custom:${string}` | null

export function isFieldName(text: string): text is FieldName {
  return Object.hasOwn(fields, text)
}

const customPattern = /^custom:[\p{L}\p{N}_][\p{L}\p{N}_ .-]{0,62}$/u

/** `custom_fields.size` and `custom:size` are the same. */
export function toTarget(text: string): string {
  return text.startsWith('custom_fields.') ? `custom:${text.slice('custom_fields.'.length)}` : text
}

export function isTarget(text: string): text is Exclude<Target, null> {
  return isFieldName(text) || customPattern.test(text)
}

/** Headers as they are compared: without accents, case and punctuation. `firstName` and `First_Name` are `first name`. */
export function foldHeader(text: string): string {
  return text
    .replace(/([\p{Ll}\p{N}])(\p{Lu})/gu, '$1 $2')
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
}

function listed(words: string): readonly string[] {
  return words.split(', ')
}

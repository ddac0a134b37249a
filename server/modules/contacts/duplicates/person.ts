/**
 * What the comparison knows of a person: one record, whatever it was read from. Contacts map their columns, and custom
 * fields with well-known names. Pure.
 */

export interface Person {
  given: string
  family: string
  /** First the address that is unique in the workspace, empty where there is none; then others that are known. */
  emails: string[]
  /** E.164 where the number could be read. */
  phones: string[]
  company: string
  birthDate: string
  street: string
  streetNumber: string
  /** What stands beside the street: flat, floor, estate. */
  unit: string
  city: string
  postcode: string
  region: string
  /** A number that an authority gave to the person, with the name of the field that holds it. */
  identifier: { kind: string; value: string } | null
}

/** The columns of a contact that say who it is. */
export interface Identifying {
  email: string
  first_name: string
  last_name: string
  phone: string | null
  phone_key: string | null
  company: string | null
  custom_fields: Record<string, unknown>
}

export function toPerson(contact: Identifying): Person {
  const person: Person = {
    given: contact.first_name,
    family: contact.last_name,
    emails: [contact.email],
    phones: contact.phone_key || contact.phone ? [contact.phone_key ?? contact.phone!] : [],
    company: contact.company ?? '',
    birthDate: '',
    street: '',
    streetNumber: '',
    unit: '',
    city: '',
    postcode: '',
    region: '',
    identifier: null,
  }
  for (const key in contact.custom_fields) {
    const role = roleOf(key)
    if (role) take(person, role, key, contact.custom_fields[key])
  }
  return person
}

type Role = Exclude<keyof Person, 'given' | 'family'>

/** By role, the names of custom fields that people give it, in the three languages of Rapport and some more. */
const names: Record<Role, string> = {
  emails:
    'email email2 emails otheremail otheremails secondaryemail alternateemail workemail privateemail personalemail emailaddress secondemail emailsecundar',
  phones:
    'phone phone2 phones mobile mobilephone cellphone telephone tel homephone workphone otherphone portable telefon gsm',
  company: 'company employer organization organisation societe entreprise firma companie',
  birthDate:
    'birthdate dateofbirth dob birthday bornon datenaissance datedenaissance geburtsdatum datanasterii datanasterii',
  street: 'address address1 addressline1 street streetaddress streetname adresse adresse1 rue strada adresa strasse',
  streetNumber: 'streetnumber housenumber streetno houseno numero numar hausnummer numerorue',
  unit: 'address2 addressline2 unit apartment flat adresse2 complement adresa2 building',
  city: 'city town suburb ville commune oras localitate ort stadt locality',
  postcode: 'postcode postalcode zip zipcode codepostal codpostal plz',
  region: 'state region province county judet departement stateprovince bundesland',
  identifier:
    'socsecid ssn socialsecuritynumber nationalid nationalidnumber passport passportnumber idnumber taxid personalid cnp nir cni personnummer identifier',
}
const roles = new Map(
  Object.entries(names).flatMap(([role, list]) => list.split(' ').map((name) => [name, role as Role] as const)),
)
const known = new Map<string, Role | null>()
const knownMax = 10_000

function roleOf(key: string): Role | null {
  const found = known.get(key)
  if (found !== undefined) return found
  const role = roles.get(plainKey(key)) ?? null
  if (known.size < knownMax) known.set(key, role)
  return role
}

/** `Date de naissance`, `date_de_naissance` and `dateDeNaissance` are one name. */
function plainKey(key: string): string {
  return key
    .normalize('NFKD')
    .replaceAll(/[^\p{L}\p{N}]/gu, '')
    .toLowerCase()
}

function take(person: Person, role: Role, key: string, value: unknown): void {
  const texts = (Array.isArray(value) ? value : [value]).filter(isText).map((text) => String(text).trim())
  const text = texts[0]
  if (!text) return
  if (role === 'emails') person.emails.push(...texts.filter((each) => each.includes('@')))
  else if (role === 'phones') person.phones.push(...texts)
  else if (role === 'identifier') person.identifier ??= { kind: plainKey(key), value: text }
  else person[role] ||= text
}

function isText(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number'
}

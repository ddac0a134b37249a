/** Headers as the programs write them, and what becomes of their columns. */
import { expect, test } from 'vitest'
import { foldHeader } from './fields.ts'
import { suggestTargets } from './mapping.ts'
import { presetOf, presets } from './presets.ts'

type Case = [file: string, preset: string, header: string, expected: Record<string, string | null>]

test.each<Case>([
  [
    'Google Contacts',
    'google',
    'First Name,Middle Name,Last Name,Phonetic First Name,Name Prefix,Nickname,File As,Organization Name,Organization Title,Birthday,Notes,Photo,Labels,E-mail 1 - Label,E-mail 1 - Value,E-mail 2 - Value,Phone 1 - Label,Phone 1 - Value,Website 1 - Value',
    {
      'E-mail 1 - Value': 'email',
      'E-mail 1 - Label': null,
      'First Name': 'first_name',
      'Last Name': 'last_name',
      'Organization Name': 'company',
      'Organization Title': 'job_title',
      'Phone 1 - Value': 'phone',
      Labels: 'tags',
      Notes: 'notes',
      'E-mail 2 - Value': 'custom:e_mail_2_value',
    },
  ],
  [
    'Google Contacts, older',
    'google',
    'Name,Given Name,Additional Name,Family Name,Group Membership,E-mail 1 - Type,E-mail 1 - Value,Phone 1 - Type,Phone 1 - Value,Organization 1 - Name,Organization 1 - Title',
    {
      Name: null,
      'Given Name': 'first_name',
      'Family Name': 'last_name',
      'Group Membership': 'tags',
      'E-mail 1 - Value': 'email',
      'Organization 1 - Name': 'company',
    },
  ],
  [
    'Outlook in English',
    'outlook_en',
    'Title,First Name,Middle Name,Last Name,Suffix,Company,Department,Job Title,Business Street,Business Phone,Home Phone,Mobile Phone,Categories,E-mail Address,E-mail Type,E-mail Display Name,E-mail 2 Address,Gender,Notes,Language',
    {
      Title: null,
      'First Name': 'first_name',
      'Job Title': 'job_title',
      'Mobile Phone': 'phone',
      'E-mail Address': 'email',
      'E-mail Display Name': null,
      Categories: 'tags',
    },
  ],
  [
    'Outlook in French',
    'outlook_fr',
    'Titre,Prénom,Deuxième prénom,Nom,Suffixe,Société,Service,Profession,Téléphone (bureau),Tél. mobile,Adresse de messagerie,Type de messagerie,Nom complet de l’adresse de messagerie,Catégories,Notes',
    {
      Titre: null,
      Prénom: 'first_name',
      Nom: 'last_name',
      Société: 'company',
      Profession: 'job_title',
      'Tél. mobile': 'phone',
      'Adresse de messagerie': 'email',
      'Type de messagerie': null,
      Catégories: 'tags',
    },
  ],
  [
    'Outlook in German',
    'outlook_de',
    'Anrede,Vorname,Weitere Vornamen,Nachname,Suffix,Firma,Abteilung,Position,Telefon geschäftlich,Mobiltelefon,E-Mail-Adresse,E-Mail-Typ,E-Mail: Angezeigter Name,Kategorien,Notizen',
    {
      Anrede: null,
      Vorname: 'first_name',
      Nachname: 'last_name',
      Firma: 'company',
      Position: 'job_title',
      Mobiltelefon: 'phone',
      'E-Mail-Adresse': 'email',
      Kategorien: 'tags',
      Notizen: 'notes',
    },
  ],
  [
    'HubSpot',
    'hubspot',
    'Record ID,First Name,Last Name,Email,Phone Number,Contact owner,Lead Status,Marketing contact status,Create Date (EST),Last Modified Date (EST),Unsubscribed from all email,Lifecycle Stage,Company Name,Job Title',
    {
      Email: 'email',
      'Unsubscribed from all email': 'unsubscribed',
      'Create Date (EST)': 'created_at',
      'Last Modified Date (EST)': 'updated_at',
      'Company Name': 'company',
    },
  ],
  [
    'Salesforce',
    'salesforce',
    'Salutation,First Name,Last Name,Title,Account Name,Mailing City,Phone,Mobile,Email,Lead Source,Email Opt Out,Last Modified Date',
    {
      Title: 'job_title',
      'Account Name': 'company',
      Mobile: 'phone',
      Phone: 'custom:business_phone',
      'Email Opt Out': 'unsubscribed',
      'Lead Source': 'source',
      'Last Modified Date': 'updated_at',
    },
  ],
  [
    'Pipedrive',
    'pipedrive',
    'Person - Name,Person - Label,Person - Phone - Work,Person - Email - Work,Person - Organization,Person - Marketing status,Person - Update time,Person - ID',
    {
      'Person - Name': 'full_name',
      'Person - Email - Work': 'email',
      'Person - Marketing status': 'status',
      'Person - Organization': 'company',
      'Person - Update time': 'updated_at',
    },
  ],
  [
    'Mailchimp',
    'mailchimp',
    'Email Address,First Name,Last Name,Address,Phone Number,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,LATITUDE,TIMEZONE,LAST_CHANGED,LEID,EUID,NOTES,TAGS,UNSUB_TIME,UNSUB_REASON',
    {
      'Email Address': 'email',
      OPTIN_TIME: 'created_at',
      LAST_CHANGED: 'updated_at',
      UNSUB_TIME: 'unsubscribed',
      LEID: null,
      TAGS: 'tags',
    },
  ],
  [
    'Brevo',
    'brevo',
    'CONTACT ID,EMAIL,LASTNAME,FIRSTNAME,SMS,LANDLINE_NUMBER,WHATSAPP,OPT_IN,DOUBLE_OPT-IN,ADDED_TIME,MODIFIED_TIME,EMAIL_BLACKLISTED',
    {
      EMAIL: 'email',
      SMS: 'phone',
      OPT_IN: 'newsletter_subscribed',
      EMAIL_BLACKLISTED: 'unsubscribed',
      ADDED_TIME: 'created_at',
      MODIFIED_TIME: 'updated_at',
    },
  ],
  [
    'ActiveCampaign',
    'activecampaign',
    'Contact ID,Email,First Name,Last Name,Phone,Account Name,Tags,Lists,Date Created,IP Address,Status',
    { Email: 'email', Status: 'status', 'Account Name': 'company', Tags: 'tags', 'Date Created': 'created_at' },
  ],
])('%s', (_, preset, header, expected) => {
  const names = header.split(',')
  const samples = names.map((name) => [expected[name] === 'email' ? 'a@example.com' : 'x'])
  const found = suggestTargets(names, samples)
  expect(found.preset).toBe(preset)
  const targets = Object.fromEntries(names.map((name, index) => [name, found.suggestions[index]!.target]))
  expect(targets).toMatchObject(expected)
})

test('a plain file is nobody’s, and each preset knows its own signatures first', () => {
  expect(presetOf(['email', 'first name', 'last name', 'tags'])).toBe(null)
  for (const { name, signatures, columns } of presets) {
    for (const signature of signatures) expect(presetOf(signature)?.name, signature.join()).toBe(name)
    for (const header of Object.keys(columns)) expect(foldHeader(header), name).toBe(header)
  }
})

test('a column that the program left empty does not take the place of one that is filled', () => {
  const header = ['Email', 'Account Name', 'Lead Source', 'Mobile', 'Phone']
  const samples = [['a@example.com'], ['A'], ['web'], [], ['+33612345678']]
  const { suggestions } = suggestTargets(header, samples)
  expect(suggestions.map(({ target }) => target)).toEqual(['email', 'company', 'source', null, 'custom:business_phone'])
})

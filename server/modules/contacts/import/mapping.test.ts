import { expect, test } from 'vitest'
import { detectLayout } from './formats/layout.ts'
import { fields } from './fields.ts'
import { resolveMapping, suggestTargets } from './mapping.ts'

test.each([
  [
    'en',
    'E-mail,First Name,lastName,Company,Phone number,Tags',
    ['email', 'first_name', 'last_name', 'company', 'phone', 'tags'],
  ],
  [
    'fr',
    'Adresse e-mail,Prénom,NOM,Société,Téléphone,Étiquettes',
    ['email', 'first_name', 'last_name', 'company', 'phone', 'tags'],
  ],
  [
    'ro',
    'Adresă de email,Prenume,Nume,Firmă,Telefon,Etichete',
    ['email', 'first_name', 'last_name', 'company', 'phone', 'tags'],
  ],
  [
    'de',
    'E-Mail-Adresse,Vorname,Nachname,Unternehmen,Handynummer,Notizen',
    ['email', 'first_name', 'last_name', 'company', 'phone', 'notes'],
  ],
  [
    'es',
    'Correo electrónico,Nombre,Apellidos,Empresa,Móvil,Notas',
    ['email', 'first_name', 'last_name', 'company', 'phone', 'notes'],
  ],
  ['none of ours', 'Contact info,Shoe size,Name', ['email', 'custom:shoe_size', 'full_name']],
])('columns are known by their headers: %s', (_, header, expected) => {
  const names = header.split(',')
  const samples = expected.map((field) => [field === 'email' ? 'a@example.com' : '42'])
  expect(suggestTargets(names, samples).suggestions.map(({ target }) => target)).toEqual(expected)
})

test('one header never means two fields', () => {
  const all = Object.values(fields).flatMap(({ headers }) => headers)
  expect(all.filter((header, index) => all.indexOf(header) !== index)).toEqual([])
})

test('a mapping names columns by header or number, and is refused whole when a part is wrong', () => {
  expect(resolveMapping({ Mail: 'email', 2: 'custom:Size', 1: null }, ['Mail', 'Name', 'Size'])).toEqual([
    'email',
    null,
    'custom:Size',
  ])
  const wrongs: Record<string, string>[] = [
    { Mail: 'email', Nope: 'notes' },
    { Mail: 'email', Name: 'email' },
    { Mail: 'nonsense' },
    { Name: 'company' },
  ]
  for (const wrong of wrongs) {
    expect(() => resolveMapping(wrong, ['Mail', 'Name'])).toThrow()
  }
})

test.each([
  ['a;b;c\n1;2,5;3\n', ';', true],
  ['email\tname\na@example.com\tAna, the first\n', '\t', true],
  ['a@example.com,Ana\nb@example.com,Bob\n', ',', false],
  ['sep=|\r\nemail|name\r\na@example.com|x,y;z\r\n', '|', true],
  ['email\rana@example.com\r', ',', true],
])('the layout of %j', (sample, delimiter, hasHeader) => {
  expect(detectLayout(sample, {})).toMatchObject({ delimiter, hasHeader })
})

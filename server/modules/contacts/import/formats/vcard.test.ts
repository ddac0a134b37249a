import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { FileRecord, Place } from './record.ts'
import { cardHeader, createCardSplitter, readCards } from './vcard.ts'

function read(text: string, pieces: number[] = [], start?: Place, header = cardHeader(readCards(text))): FileRecord[] {
  const splitter = createCardSplitter(header, start)
  const records: FileRecord[] = []
  let at = 0
  for (const length of pieces) {
    records.push(...splitter.read(text.slice(at, at + length), false))
    at += length
  }
  return [...records, ...splitter.read(text.slice(at), true)]
}

/** The cells that are not empty, by column. */
function people(text: string): Record<string, string>[] {
  const header = cardHeader(readCards(text))
  return read(text).map(({ cells, problem }) =>
    problem ? { problem } : Object.fromEntries(header.flatMap((name, at) => (cells[at] ? [[name, cells[at]]] : []))),
  )
}

const card = (...lines: string[]): string => ['BEGIN:VCARD', ...lines, 'END:VCARD', ''].join('\r\n')

test('vCard 4: groups, preferences, types, escapes, folded lines', () => {
  const text = card(
    'VERSION:4.0',
    'FN:Dr. Ana Maria Ionescu',
    'N:Ionescu;Ana;Maria;Dr.;',
    'item1.EMAIL;TYPE=work;PREF=2:ana@work.example',
    'EMAIL;PREF=1:mailto:ana@home.example',
    'TEL;TYPE="work,voice";VALUE=uri:tel:+40-21-555-0100;ext=5',
    'TEL;TYPE=cell:+40 721 234 567',
    'ORG:Moulin\\, Fils;Bakery',
    'TITLE:Chef',
    'CATEGORIES:vip,bread\\, and butter',
    'NOTE:First line\\nsecond\\; with a semicolon and a very lo',
    ' ng end',
    'BDAY:19800331',
    'ADR;LABEL="x":;;1 Rue X;Paris;;75001;France',
    'LANG;PREF=1:fr',
    'GENDER:F',
    'X-SKYPE:ana.skype',
    'REV:20260102T030405Z',
  )
  expect(people(text)).toEqual([
    {
      Email: 'ana@home.example',
      'Other emails': 'ana@work.example',
      'Full name': 'Dr. Ana Maria Ionescu',
      'First name': 'Ana Maria',
      'Last name': 'Ionescu',
      Phone: '+40 721 234 567',
      'Other phones': '+40-21-555-0100',
      Company: 'Moulin, Fils',
      'Job title': 'Chef',
      Categories: 'vip, bread, and butter',
      Notes: 'First line\nsecond; with a semicolon and a very long end',
      Birthday: '1980-03-31',
      Address: '1 Rue X, Paris, 75001, France',
      Language: 'fr',
      Gender: 'F',
      'X-SKYPE': 'ana.skype',
      'Last modified': '2026-01-02T03:04:05Z',
    },
  ])
})

test('vCard 2.1: bare types, quoted-printable over lines, another charset', () => {
  const text = card(
    'VERSION:2.1',
    'N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Lef=C3=A8vre;Zo=C3=A9',
    'FN;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:Zo=E9 =',
    'Lef=E8vre',
    'EMAIL;INTERNET;PREF:zoe@example.com',
    'EMAIL;INTERNET:zoe.old@example.com',
    'TEL;WORK;FAX:+33 1 11 11 11 11',
    'TEL;HOME:01 23 45 67 89',
    'NOTE;ENCODING=QUOTED-PRINTABLE:a=3Db=0D=0Ac',
  )
  expect(people(text)).toEqual([
    {
      Email: 'zoe@example.com',
      'Other emails': 'zoe.old@example.com',
      'Full name': 'Zoé Lefèvre',
      'First name': 'Zoé',
      'Last name': 'Lefèvre',
      Phone: '01 23 45 67 89',
      'Other phones': '+33 1 11 11 11 11',
      Notes: 'a=b\r\nc',
    },
  ])
})

test('a card without an end is one unreadable record, and the next one is whole', () => {
  const text = `BEGIN:VCARD\r\nEMAIL:lost@example.com\r\n${card('EMAIL:a@example.com')}noise\r\n${card('FN:No address')}BEGIN:VCARD\r\nEMAIL:cut`
  expect(people(text)).toEqual([
    { problem: 'unreadable' },
    { Email: 'a@example.com' },
    { 'Full name': 'No address' },
    { problem: 'unreadable' },
  ])
  expect(read(text).map(({ line }) => line)).toEqual([1, 3, 7, 10])
})

test('what the cards at the beginning did not have is kept beside', () => {
  const splitter = createCardSplitter(cardHeader(readCards(card('EMAIL:a@example.com'))))
  const [record] = splitter.read(card('EMAIL:b@example.com', 'X-TWITTER:bee'), true)
  expect(record!.cells.at(-1)).toBe('X-TWITTER: bee')
})

test('however the file is cut, and wherever reading begins again, the cards are the same', () => {
  const lines = fc.constantFrom(
    'FN:A',
    'EMAIL:a@example.com',
    'NOTE:x',
    ' folded',
    'BEGIN:VCARD',
    'END:VCARD',
    '',
    'noise',
  )
  const text = fc.array(lines, { maxLength: 25 }).map((all) => all.join('\n'))
  fc.assert(
    fc.property(
      text,
      fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 20 }),
      fc.nat(5),
      (whole, pieces, stop) => {
        const header = cardHeader([])
        const records = read(whole, [], undefined, header)
        expect(read(whole, pieces, undefined, header)).toEqual(records)
        const last = records[Math.min(stop, records.length - 1)]
        if (!last) return
        expect(read(whole.slice(last.next.offset), [], last.next, header)).toEqual(
          records.slice(records.indexOf(last) + 1),
        )
      },
    ),
    { numRuns: 1_000 },
  )
})

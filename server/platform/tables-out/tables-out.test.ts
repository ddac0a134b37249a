import { buffer } from 'node:stream/consumers'
import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { readXlsx } from 'hucre/xlsx'
import { describe, expect, test } from 'vitest'
import { csvLine, writeCsv } from './csv.ts'
import { guardCell, unguardCell } from './spreadsheet-safe.ts'
import type { Cell, Column } from './table.ts'
import { writeXlsx } from './xlsx.ts'

const payloads = [
  '=1+1',
  '+1+1',
  '-2-3',
  '@SUM(A1)',
  '\t=1',
  '\r=1',
  '\n=1',
  '  =HYPERLINK("http://evil.example","x")',
  '\u200b=1',
  '＝1+1',
  '＠x',
  "'=1",
  '+1-800-555-1234',
  '=cmd|" /C calc"!A0',
]
const harmless = ['42', '-12.5', '+3', '+33 6 12 34 56 78', '+40 (721) 000 000', 'Zoé', "l'été", '', '007', 'a=b']

describe('what a spreadsheet would compute', () => {
  test.each(payloads)('%j goes out behind an apostrophe, and comes back', (text) => {
    expect(guardCell(text)).toBe(`'${text}`)
    expect(unguardCell(guardCell(text))).toBe(text)
  })
  test.each(harmless)('%j stays as it is', (text) => {
    expect(guardCell(text)).toBe(text)
    expect(unguardCell(text)).toBe(text)
  })
  test('any text comes back as it went', () => {
    const text = fc.string({ unit: fc.constantFrom(...`'=+-@\t\r\n ＝a1.,() `.split('')), maxLength: 8 })
    fc.assert(
      fc.property(fc.oneof(text, fc.string({ unit: 'grapheme' })), (value) => {
        expect(unguardCell(guardCell(value))).toBe(value)
      }),
    )
  })
})

const columns: Column[] = [
  { header: 'Name', kind: 'text' },
  { header: '=Count', kind: 'number' },
  { header: 'When', kind: 'time' },
  { header: 'Yes', kind: 'yes_no' },
  { header: 'Value', kind: 'money' },
]
const when = new Date('2026-02-03T04:05:00Z')
const rows: Cell[][] = [
  ['=1+1', 5, when, true, '1234.50'],
  ['"quoted", and\r\nbroken; é🥧 مرحبا', -3, null, false, '-0.10'],
  ['_x0041_ \u0007', null, null, null, '12345678901234567.89'],
]

test('CSV is read back by a reader that is not ours', async () => {
  const parts: string[] = []
  for await (const part of writeCsv(columns, [rows], { safe: false })) parts.push(part)
  const text = parts.join('')
  expect(text.startsWith('\ufeffName,')).toBe(true)
  const read = parse(text, { bom: true }) as string[][]
  expect(read[1]).toEqual(['=1+1', '5', '2026-02-03T04:05:00.000Z', 'yes', '1234.50'])
  expect(read[2]).toEqual(['"quoted", and\r\nbroken; é🥧 مرحبا', '-3', '', 'no', '-0.10'])
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1, maxLength: 5 }), (cells) => {
      expect(parse(csvLine(['-', ...cells], { safe: false }))).toEqual([['-', ...cells]])
    }),
  )
})

test('XLSX keeps text as text, numbers as numbers and times as times, on as many sheets as it takes', async () => {
  const file = await buffer(writeXlsx(columns, [rows], { sheetName: 'A/B: contacts', rowsPerSheet: 3 }))
  const { sheets } = await readXlsx(file, { readStyles: true })
  expect(sheets.map(({ name, rows: found }) => [name, found.length])).toEqual([
    ['A B  contacts', 3],
    ['A B  contacts_2', 2],
  ])
  const header = ['Name', '=Count', 'When', 'Yes', 'Value']
  expect(sheets.map((sheet) => sheet.rows[0])).toEqual([header, header])
  expect(sheets[0]!.rows[1]).toEqual(['=1+1', 5, when, true, 1234.5])
  expect(sheets[0]!.rows[2]!.slice(0, 2)).toEqual(['"quoted", and\r\nbroken; é🥧 مرحبا', -3])
  expect(sheets[1]!.rows[1]![0]).toBe('_x0041_ \u0007')
  expect(sheets[1]!.rows[1]![4]).toBe('12345678901234567.89')
  const bold = sheets.map((sheet) =>
    [0, 1].map((row) => [0, 2].map((column) => sheet.cells?.get(`${row},${column}`)?.style?.font?.bold ?? false)),
  )
  expect(bold).toEqual([
    [
      [true, true],
      [false, false],
    ],
    [
      [true, true],
      [false, false],
    ],
  ])
  expect(sheets.map(({ freezePane }) => freezePane?.rows)).toEqual([1, 1])
})

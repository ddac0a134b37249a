import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createSplitter, recordLengthMax } from './csv.ts'
import type { FileRecord, Place } from './record.ts'

const comma = { delimiter: ',', newline: '\n' } as const

function split(
  text: string,
  pieces: number[] = [],
  start?: Place,
  format: { delimiter: string; newline: '\n' | '\r' } = comma,
): FileRecord[] {
  const splitter = createSplitter(format, start)
  const records: FileRecord[] = []
  let at = 0
  for (const length of pieces) {
    records.push(...splitter.read(text.slice(at, at + length), false))
    at += length
  }
  return [...records, ...splitter.read(text.slice(at), true)]
}

const cellsOf = (records: FileRecord[]) => records.map(({ cells, problem }) => problem ?? cells)

test.each<[string, string, unknown[]]>([
  [
    'plain lines',
    'a,b\nc,d\n',
    [
      ['a', 'b'],
      ['c', 'd'],
    ],
  ],
  [
    'no end at the end',
    'a,b\r\nc,d',
    [
      ['a', 'b'],
      ['c', 'd'],
    ],
  ],
  [
    'quotes, doubled quotes, a line end inside',
    '"a ""x""","b\nc"\nd,e\n',
    [
      ['a "x"', 'b\nc'],
      ['d', 'e'],
    ],
  ],
  [
    'a quote inside a bare field is itself',
    '5" pipe,x\ny,z\n',
    [
      ['5" pipe', 'x'],
      ['y', 'z'],
    ],
  ],
  ['text behind a closing quote costs that line alone', '"a"b,c\nd,e\n', ['bad_quote', ['d', 'e']]],
  ['a quote that never closes costs that line alone', '"a,b\nc,d\ne,f\n', ['bad_quote', ['c', 'd'], ['e', 'f']]],
  ['and does not take the next quoted line with it', '"a,b\n"c","d"\n', ['bad_quote', ['c', 'd']]],
  ['blank lines are nothing', '\n\r\na,b\n , \n', [['a', 'b']]],
])('%s', (_, text, expected) => {
  expect(cellsOf(split(text))).toEqual(expected)
  for (let length = 1; length < 4; length++) {
    expect(
      cellsOf(
        split(
          text,
          Array.from({ length: Math.ceil(text.length / length) }, () => length),
        ),
      ),
    ).toEqual(expected)
  }
})

test('lines are counted as an editor counts them', () => {
  expect(split('a\n"b\nc"\n\nd\n').map(({ line }) => line)).toEqual([1, 2, 5])
})

test('a line without end, or with columns without end, is one bad record and bounded', () => {
  const endless = split(
    `a,b\n${'x'.repeat(recordLengthMax * 2)}\nc,d\n`,
    Array.from({ length: 20 }, () => 65_536),
  )
  expect(cellsOf(endless)).toEqual([['a', 'b'], 'record_too_long', ['c', 'd']])
  expect(endless[2]!.line).toBe(3)
  expect(cellsOf(split(`${','.repeat(1_000)}x\nc,d\n`))).toEqual(['too_many_columns', ['c', 'd']])
})

const cell = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '"', ',', '\n', 'é', ';'), maxLength: 8 })
const table = fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { maxLength: 8 })
const quoted = (text: string): string =>
  /[",\n]/.test(text) || /^ *"/.test(text) ? `"${text.replaceAll('"', '""')}"` : text

test('what another reader makes of a good file, this one makes of it too, however it is cut', () => {
  fc.assert(
    fc.property(table, fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 30 }), (rows, pieces) => {
      const text = rows.map((row) => row.map(quoted).join(',')).join('\n') + '\n'
      const theirs = parse(text, { relax_column_count: true, skip_empty_lines: true }) as string[][]
      const full = theirs.filter((row) => row.some((each) => each.trim()))
      expect(cellsOf(split(text, pieces))).toEqual(full)
    }),
    { numRuns: 500 },
  )
})

test('reading may stop after any record and go on there, whatever the file', () => {
  const dirty = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r\n', 'b', ' '), maxLength: 60 })
  fc.assert(
    fc.property(dirty, fc.nat(10), (text, stop) => {
      const whole = split(text)
      const last = whole[Math.min(stop, whole.length - 1)]
      if (!last) return
      const rest = split(text.slice(last.next.offset), [], last.next)
      expect(rest).toEqual(whole.slice(whole.indexOf(last) + 1))
    }),
    { numRuns: 1_000 },
  )
})

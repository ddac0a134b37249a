// What a report looks like as a file, each read back by a reader that is not the writer.
import { parse } from 'csv-parse/sync'
import { readXlsx } from 'hucre/xlsx'
import { expect, test } from 'vitest'
import { renderReport } from './files.ts'
import { readPdf } from './pdf.fixture.ts'
import type { ReportResult } from './run.ts'

const result: ReportResult = {
  groups: [
    { field: 'source', label: 'Source', kind: 'text', by: null, width: null },
    { field: 'created_at', label: 'Created (quarter)', kind: 'time', by: 'quarter', width: null },
  ],
  measures: [
    { name: 'count', label: 'Contacts', kind: 'number' },
    { name: 'worth', label: 'Valoarea clientului ș ț', kind: 'money' },
    { name: 'share', label: 'Share', kind: 'share' },
    { name: 'last', label: 'Last', kind: 'time' },
  ],
  rows: [
    {
      groups: [
        { key: 'x', label: '=HYPERLINK("http://evil.example")' },
        { key: '2026-04-01', label: '2026-04-01' },
      ],
      values: [1_234, '12345678.90', 0.125, '2026-05-01T10:00:00.000Z'],
      previous: null,
    },
    {
      groups: [
        { key: null, label: null },
        { key: null, label: null },
      ],
      values: [1, '0.00', 0, null],
      previous: null,
    },
  ],
  totals: { values: [1_235, '12345678.90', 1, '2026-05-01T10:00:00.000Z'], previous: null },
  groups_total: 7,
  truncated: true,
  period: { field: 'created_at', from: '2026-01-01', to: null },
  previous_period: null,
  problems: [],
  timezone: 'Europe/Paris',
  currency: 'EUR',
  computed_at: '2026-06-30T22:30:00.000Z',
}
const heading = { name: 'Où en sommes-nous?', workspace: 'Le Vieux Moulin', language: 'en' } as const

test('CSV holds every row, the totals and what is left out, and computes nothing', async () => {
  const rows = parse(await renderReport('csv', result, heading), { bom: true }) as string[][]
  expect(rows).toEqual([
    ['Source', 'Created (quarter)', 'Contacts', 'Valoarea clientului ș ț', 'Share', 'Last'],
    [`'=HYPERLINK("http://evil.example")`, '2026 Q2', '1234', '12345678.90', '0.125', '2026-05-01T10:00:00.000Z'],
    ['(none)', '(none)', '1', '0.00', '0', ''],
    ['Total', '', '1235', '12345678.90', '1', '2026-05-01T10:00:00.000Z'],
    ['More groups than are shown here: 5', '', '', '', '', ''],
  ])
})

test('XLSX has numbers as numbers, times as times and text as text', async () => {
  const { sheets } = await readXlsx(await renderReport('xlsx', result, heading))
  expect(sheets[0]!.name).toBe('Où en sommes-nous')
  expect(sheets[0]!.rows[1]).toEqual([
    '=HYPERLINK("http://evil.example")',
    '2026 Q2',
    1_234,
    12_345_678.9,
    0.125,
    new Date('2026-05-01T10:00:00.000Z'),
  ])
})

test('PDF has the title, the numbers as people read them, and a header on each of its pages', async () => {
  const many = { ...result, rows: Array.from({ length: 120 }, () => result.rows[0]!) }
  const { pages } = readPdf(await renderReport('pdf', many, { ...heading, language: 'ro' }))
  expect(pages.length).toBeGreaterThan(3)
  expect(pages[0]).toContain('Où en sommes-nous?')
  expect(pages[0]).toContain('Le Vieux Moulin · 1 ian. 2026 până la … · 1 iul. 2026')
  for (const page of pages) expect(page).toContain('Valoarea clientului ș ț')
  const last = pages.at(-1)!
  expect(last).toContain('Total')
  expect(last).toMatch(/1\.235/)
  expect(last).toMatch(/12\.345\.678,90/)
  expect(last).toMatch(/100\s?%/)
  expect(last).toContain(`Pagina ${pages.length} / ${pages.length}`)
  const empty = { ...result, rows: [], groups_total: 0, truncated: false }
  const none = readPdf(await renderReport('pdf', empty, heading))
  expect(none.pages).toHaveLength(1)
  expect(none.pages[0]).toContain('No contacts match this report.')
})

import { Readable } from 'node:stream'
import { writeXlsx } from 'hucre/xlsx'
import { expect, test } from 'vitest'
import type { FileRecord } from './record.ts'
import { openWorkbook, rowsOf } from './xlsx.ts'
import { zipOf } from './zip.fixture.ts'

const start = { offset: 0, line: 1 }
const open = (bytes: Uint8Array) => openWorkbook(Readable.from([Buffer.from(bytes)]))

async function all(bytes: Uint8Array, sheet?: string, from = start) {
  const workbook = await open(bytes)
  const records: FileRecord[] = []
  for await (const record of rowsOf(workbook, sheet ?? workbook.sheets[0]!, from)) records.push(record)
  return records
}

const people = {
  name: 'People',
  rows: [
    ['Email', 'Phone', 'Since', 'At', 'Vip', 'Sum', 'Error'],
    [
      'a@example.com',
      33_612_345_678,
      new Date('2026-03-31T00:00:00Z'),
      new Date('2026-03-31T10:20:30Z'),
      true,
      0.1 + 0.2,
      '#N/A',
    ],
    [null, null, null],
    ['b@example.com', null, null, null, false, -1.5],
  ],
}

test('values come as people see them, rows with the number that the program shows', async () => {
  const bytes = await writeXlsx({ sheets: [{ name: 'Empty', rows: [] }, people] })
  const workbook = await open(bytes)
  expect(workbook.sheets).toEqual(['Empty', 'People'])
  const records = await all(bytes, 'People')
  expect(records.map(({ cells }) => cells)).toEqual([
    ['Email', 'Phone', 'Since', 'At', 'Vip', 'Sum', 'Error'],
    ['a@example.com', '33612345678', '2026-03-31', '2026-03-31T10:20:30', 'TRUE', '0.3'],
    ['b@example.com', '', '', '', 'FALSE', '-1.5'],
  ])
  expect(records.map(({ line }) => line)).toEqual([1, 2, 4])
  expect(await all(bytes, 'People', records[1]!.next)).toEqual(records.slice(2))
})

test('formulas are what they last came to', async () => {
  const bytes = zipOf({
    ...parts,
    'xl/worksheets/sheet1.xml': sheet(
      '<row r="1"><c r="A1" t="str"><f>"a"&amp;"@b.c"</f><v>a@b.c</v></c><c r="B1"><f>1+1</f><v>2</v></c></row>',
    ),
  })
  expect((await all(bytes)).map(({ cells }) => cells)).toEqual([['a@b.c', '2']])
})

const sheet = (rows: string): string =>
  `<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>${rows}</sheetData></worksheet>`
const parts = {
  '[Content_Types].xml':
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>',
  '_rels/.rels':
    '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>',
  'xl/_rels/workbook.xml.rels':
    '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
  'xl/workbook.xml':
    '<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>',
}

async function refusal(bytes: Uint8Array): Promise<string | undefined> {
  try {
    await all(bytes)
    return undefined
  } catch (error) {
    return (error as { errors?: { code: string }[] }).errors?.[0]?.code
  }
}

const zeros = Buffer.alloc(1024 * 1024, ' ')
const megabytes = (count: number): Buffer => Buffer.concat(Array.from({ length: count }, () => zeros))

test('bombs, broken workbooks and other archives are refused with a sentence', async () => {
  expect(await refusal(zipOf({ ...parts, 'xl/worksheets/sheet1.xml': megabytes(30) }))).toBe('unpacks_too_large')
  expect(await refusal(zipOf({ ...parts, 'xl/sharedStrings.xml': sheet('<a/>'.repeat(30_000_000)) }))).toBe(
    'unpacks_too_large',
  )
  // Declared as small, and large in truth.
  const lying = zipOf({ ...parts, 'xl/sharedStrings.xml': megabytes(120) }, { declared: 10 })
  expect(lying.length).toBeLessThan(1_000_000)
  expect(await refusal(lying)).toBe('unpacks_too_large')
  const entity =
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>' +
    sheet('<row r="1"><c r="A1" t="inlineStr"><is><t>&b;</t></is></c></row>').slice(21)
  const expanded = await all(zipOf({ ...parts, 'xl/worksheets/sheet1.xml': entity })).catch(() => [])
  expect(JSON.stringify(expanded)).not.toContain('aaaa')
  const { 'xl/workbook.xml': _, ...without } = parts
  expect(await refusal(zipOf({ ...without, 'xl/a.xml': '<a/>' }))).toBe('broken_workbook')
  expect(await refusal(zipOf({ 'readme.txt': 'hello' }))).toBe('wrong_format')
  expect(
    await refusal(zipOf({ mimetype: 'application/vnd.oasis.opendocument.spreadsheet', 'content.xml': '<a/>' })),
  ).toBe('wrong_format')
  const good = Buffer.from(await writeXlsx({ sheets: [people] }))
  expect(await refusal(good.subarray(0, good.length - 40))).toBe('broken_workbook')
  expect(await refusal(Buffer.from('PK\x03\x04 and nothing'))).toBe('broken_workbook')
})

test('a cell far out, or thousands of columns, costs one row', async () => {
  const rows = `<row r="1"><c r="A1" t="inlineStr"><is><t>email</t></is></c></row><row r="2"><c r="XFD2"><v>1</v></c></row><row r="1048576"><c r="A1048576"><v>7</v></c></row>`
  const records = await all(zipOf({ ...parts, 'xl/worksheets/sheet1.xml': sheet(rows) }))
  expect(records.map(({ line, problem }) => [line, problem])).toEqual([
    [1, null],
    [2, 'too_many_columns'],
    [1_048_576, null],
  ])
})

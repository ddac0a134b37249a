import fc from 'fast-check'
import { expect, test } from 'vitest'
import { recordLengthMax } from './csv.ts'
import { createJsonSplitter, jsonHeader } from './json.ts'
import type { FileRecord, Place } from './record.ts'

function read(text: string, pieces: number[] = [], start?: Place, header = jsonHeader(text)): FileRecord[] {
  const splitter = createJsonSplitter(header, start)
  const records: FileRecord[] = []
  let at = 0
  for (const length of pieces) {
    records.push(...splitter.read(text.slice(at, at + length), false))
    at += length
  }
  return [...records, ...splitter.read(text.slice(at), true)]
}

test('an array and a line for each are the same; what lies deeper gets a dotted name', () => {
  const objects = [
    { email: 'a@example.com', name: { first: 'A "x" }' }, tags: ['x', 'y'], vip: true, n: 5 },
    { email: 'b@example.com', name: null },
  ]
  const expected = [
    ['a@example.com', 'A "x" }', 'x, y', 'true', '5', '', ''],
    ['b@example.com', '', '', '', '', '', ''],
  ]
  for (const text of [JSON.stringify(objects, null, 2), objects.map((each) => JSON.stringify(each)).join('\n')]) {
    expect(jsonHeader(text)).toEqual(['email', 'name.first', 'tags', 'vip', 'n', 'name', 'Other details'])
    expect(read(text).map(({ cells }) => cells)).toEqual(expected)
  }
})

test('what is no object is one bad record; what the header lacks is kept beside', () => {
  const records = read('[{"email":"a"},{"email":,},{"email":"b","shoe":42}]', [], undefined, ['email', 'Other details'])
  expect(records.map(({ cells, problem }) => problem ?? cells)).toEqual([['a', ''], 'unreadable', ['b', 'shoe: 42']])
  const long = `[{"a":"${'x'.repeat(recordLengthMax * 2)}"},{"a":"b"}]`
  const pieces = Array.from({ length: 9 }, () => 65_536)
  expect(read(long, pieces, undefined, ['a']).map(({ problem, cells }) => problem ?? cells)).toEqual([
    'record_too_long',
    ['b'],
  ])
})

test('however the text is cut, and wherever reading begins again, the records are the same', () => {
  const dirty = fc.string({
    unit: fc.constantFrom('{', '}', '"', '\\', 'a', ':', ',', '1', '\n', '[', ']'),
    maxLength: 60,
  })
  const good = fc
    .array(fc.dictionary(fc.constantFrom('a', 'b'), fc.string()), { maxLength: 5 })
    .map((all) => JSON.stringify(all))
  fc.assert(
    fc.property(fc.oneof(dirty, good), fc.array(fc.integer({ min: 1, max: 9 })), fc.nat(4), (text, pieces, stop) => {
      const header = ['a', 'b']
      const records = read(text, [], undefined, header)
      expect(read(text, pieces, undefined, header)).toEqual(records)
      const last = records[Math.min(stop, records.length - 1)]
      if (!last || last.problem) return
      expect(read(text.slice(last.next.offset), [], last.next, header)).toEqual(
        records.slice(records.indexOf(last) + 1),
      )
    }),
    { numRuns: 1_000 },
  )
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { keyName, kindOfName, normalizeName, requireContent } from './attachment-types.ts'
import { assertKey } from '#platform/files/files.ts'

const taken = (name: string, head: Buffer | string): string => {
  const kind = kindOfName(normalizeName(name))
  requireContent(kind, Buffer.from(head as string, 'latin1'))
  return kind.mime
}
const png = '\u0089PNG\r\n\u001a\n…'

test.each([
  ['photo.PNG', png, 'image/png'],
  ['a.b.jpeg', '\u00ff\u00d8\u00ff\u00e0', 'image/jpeg'],
  ['anim.gif', 'GIF89a', 'image/gif'],
  ['x.pdf', '%PDF-1.7', 'application/pdf'],
  ['crash.log', 'GET /<html> 500\n', 'text/plain'],
  ['rows.csv', 'a,b\n1,2', 'text/csv'],
  ['C:\\Users\\me\\note.txt', 'hello', 'text/plain'],
  ['письмо．txt', 'hello', 'text/plain'],
  ['utf16.txt', '\u00ff\u00feh\0i\0', 'text/plain'],
  ['old.doc', '\u00d0\u00cf\u0011\u00e0\u00a1\u00b1\u001a\u00e1', 'application/msword'],
  [
    'new.docx',
    'PK\u0003\u0004………………………[Content_Types].xml',
    'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  ],
])('%s is taken', (name, head, mime) => {
  expect(taken(name, head)).toBe(mime)
})

test.each([
  ['page.html', '<html>'],
  ['image.svg', '<svg xmlns="http://www.w3.org/2000/svg"/>'],
  ['run.exe', 'MZ'],
  ['run.js', 'alert(1)'],
  ['mail.eml', 'From: a'],
  ['macro.docm', 'PK\u0003\u0004'],
  ['archive.zip', 'PK\u0003\u0004'],
  ['noextension', 'hello'],
  ['.htaccess', 'AddType'],
  ['', ''],
  ['shell.php.png', png],
  ['shell.PHP .png', png],
  ['invoice.pdf.exe', '%PDF-'],
  ['invoice\u202Efdp.exe', '%PDF-'],
  ['photo.png.', '<html>'],
  ['photo.png\0.html', png],
  ['p\u200Bhoto.h\u200Btml', '<html>'],
  ['photo.png', '<html>'],
  ['photo.png', 'GIF89a'],
  ['doc.pdf', ' <html>%PDF-'],
  ['doc.docx', 'PK\u0003\u0004 payload.exe'],
  ['page.txt', '\u00ef\u00bb\u00bf <!-- hi --> <!DOCTYPE html>'],
  ['page.csv', '\n\n<script>alert(1)</script>'],
  ['drawing.log', '<?xml version="1.0"?><svg/>'],
  ['code.md', '<?php system(1);'],
  ['binary.txt', 'MZ\0\0'],
  ['__proto__', 'x'],
  ['x.constructor', 'x'],
])('%s is refused', (name, head) => {
  expect(() => taken(name, head)).toThrow()
})

test('whatever a file is called: a name that is taken is short, says one thing, and makes a key', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 400 }),
      fc.constantFrom('png', 'PDF', 'txt', ''),
      (stem, end) => {
        const name = normalizeName(`${stem}.${end}`)
        expect(name.length).toBeLessThanOrEqual(150)
        expect(name).not.toMatch(/[/\\\p{Cc}\p{Cf}]/u)
        expect(normalizeName(name)).toBe(name)
        let kind
        try {
          kind = kindOfName(name)
        } catch {
          return
        }
        expect(kind.mime).toMatch(/^[a-z]+\/[a-z.+-]+$/)
        assertKey(`tickets/${keyName(name)}`)
      },
    ),
    { numRuns: 500 },
  )
})

import { expect, test } from 'vitest'
import { createEncodingJudge, type Encoding } from './encoding.ts'

function judge(bytes: Buffer, pieces = 7): Encoding {
  const judgement = createEncodingJudge()
  for (let at = 0; at < bytes.length; at += pieces) judgement.watch(bytes.subarray(at, at + pieces))
  return judgement.finish()
}

/** Node writes none of these code pages, so they are found out by reading every byte. */
function inPage(text: string, page: Encoding): Buffer {
  const decoder = new TextDecoder(page)
  const bytes = new Map(Array.from({ length: 256 }, (_, byte) => [decoder.decode(Buffer.from([byte])), byte]))
  return Buffer.from(Array.from(text, (character) => bytes.get(character)!))
}

test.each<[Encoding, string]>([
  [
    'windows-1252',
    'nom;prénom;ville\nLefèvre;Zoé;Besançon\nGarçon;Hélène;Nîmes\nMüller;Jürgen;Köln\nNuñez;Begoña;Logroño',
  ],
  ['windows-1252', 'name;ort\nSchröder;Düsseldorf\nWeiß;Fürth'],
  ['windows-1252', 'nome;cidade\nConceição;São Paulo\nJoão;Brasília\nÉric;Orléans'],
  ['windows-1250', 'nume;oraş\nŞtefănescu;Iaşi\nŢepeş;Târgovişte\nPopăţean;Bacău'],
  ['windows-1250', 'imię;miasto\nŁukasz;Łódź\nŚwiętosława;Gdańsk\nJóźwiak;Częstochowa'],
  ['iso-8859-2', 'imię;miasto\nŁukasz;Łódź\nŚwiętosława;Gdańsk\nWiśniewska;Jastrzębia Góra\nMaślak;Wąchock'],
])('%s is known by its letters: %j', (page, text) => {
  expect(judge(inPage(text, page))).toBe(page)
})

test('a mark decides, and without one UTF-8 and UTF-16 are known all the same', () => {
  const text = 'email,name\na@example.com,Zoé\n'
  expect(judge(Buffer.from(text))).toBe('utf-8')
  expect(judge(Buffer.from(`\ufeff${text}`))).toBe('utf-8')
  const wide = Buffer.from(text, 'utf16le')
  expect(judge(wide, 4096)).toBe('utf-16le')
  expect(judge(Buffer.from(`\ufeff${text}`, 'utf16le'))).toBe('utf-16le')
  expect(judge(Buffer.from(wide).swap16(), 4096)).toBe('utf-16be')
  expect(judge(Buffer.from('plain'))).toBe('utf-8')
})

test('a character that lies over two chunks is still UTF-8, half of one is not', () => {
  expect(judge(Buffer.from('é'.repeat(50)), 1)).toBe('utf-8')
  expect(judge(Buffer.from('caf\xe9', 'latin1'))).toBe('windows-1252')
})

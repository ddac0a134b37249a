/**
 * Text as it is compared: without case, accents and spelling variants that say nothing about who somebody is. No script
 * is transliterated: a Cyrillic name meets the same name in Cyrillic, letter by letter. Pure.
 */

/** Letters that Unicode does not take apart although readers do. */
const letters: Record<string, string> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ı: 'i',
  ς: 'σ',
  // Arabic and Persian: the same letter in another form, and the stroke that only stretches a word.
  ى: 'ي',
  ی: 'ي',
  ة: 'ه',
  ک: 'ك',
  ـ: '',
}
const special = new RegExp(`[${Object.keys(letters).join('')}]`, 'g')

/** Accents, points and strokes above and below: of Latin, Greek and Cyrillic, of Hebrew, of Arabic. In Thai, Hindi or
 * kana such marks are sounds of their own, and stay. */
const marks = /[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670]/g
const plain = /^[a-z0-9 ]*$/

/** Lower case, no accents, one space between words, no punctuation. */
export function foldText(text: string): string {
  const lower = text.toLowerCase()
  if (plain.test(lower)) return lower.includes('  ') ? lower.replaceAll(/ +/g, ' ').trim() : lower.trim()
  return lower
    .normalize('NFKD')
    .replaceAll(marks, '')
    .replaceAll(special, (letter) => letters[letter]!)
    .replaceAll(/['’`´ʼ]/g, '')
    .replaceAll(/[^\p{L}\p{M}\p{N}]+/gu, ' ')
    .trim()
}

/** The same without spaces, because people disagree about them: "Jean-Luc", "Jean Luc", "Jeanluc". */
export function compact(folded: string): string {
  return folded.includes(' ') ? folded.replaceAll(' ', '') : folded
}

/** Scripts without spaces between words, in which a whole name is two to four characters. */
export function isDense(folded: string): boolean {
  return /[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]/.test(folded)
}

/** What cannot be an address of anybody: placeholders below the reserved domain. */
const placeholder = /\.invalid$/

/** Lower case, and null for what is no address. */
export function foldEmail(email: string): string | null {
  const folded = email.trim().toLowerCase()
  return folded && !placeholder.test(folded) ? folded : null
}

/**
 * The mailbox that an address leads to: without what follows a plus sign, and at providers that ignore dots, without
 * those. Two addresses with one mailbox are one person, however they are written.
 */
export function mailboxOf(foldedEmail: string): string {
  const at = foldedEmail.lastIndexOf('@')
  if (at <= 0) return foldedEmail
  let domain = foldedEmail.slice(at + 1)
  let local = foldedEmail.slice(0, at)
  const plus = local.indexOf('+')
  if (plus > 0) local = local.slice(0, plus)
  if (domain === 'googlemail.com') domain = 'gmail.com'
  if (domain === 'gmail.com') local = local.replaceAll('.', '')
  return `${local}@${domain}`
}

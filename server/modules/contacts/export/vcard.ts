/** Contacts as vCards: 4.0 (RFC 6350), or 3.0 (RFC 2426) for older address books. */
import type { NamedField } from './columns.ts'
import type { ExportRow } from './fields.ts'
import { joinFullName } from '../names.ts'

export type VCardVersion = '3' | '4'

const genders: Record<string, string> = { male: 'M', female: 'F', other: 'O' }

/** One card; `fields` says what may stand in it, beside the names that every card must have. */
export function toVCard(row: ExportRow, fields: readonly NamedField[], version: VCardVersion): string {
  const wanted = new Set(fields.map(({ name }) => name))
  const lines = ['BEGIN:VCARD', `VERSION:${version}.0`]
  const add = (field: string, name: string, value: string | null | undefined): void => {
    if (wanted.has(field) && value) lines.push(`${name}:${value}`)
  }
  add('id', 'UID', `urn:uuid:${row.id}`)
  lines.push(`FN:${escapeText(joinFullName(nameOf(row, wanted)) || row.email)}`)
  const { first_name, last_name } = nameOf(row, wanted)
  lines.push(`N:${escapeText(last_name)};${escapeText(first_name)};;;`)
  add('email', version === '4' ? 'EMAIL' : 'EMAIL;TYPE=INTERNET', escapeText(row.email))
  add('phone', version === '4' ? 'TEL;VALUE=text' : 'TEL;TYPE=VOICE', escaped(row.phone))
  add('company', 'ORG', escaped(row.company))
  add('job_title', 'TITLE', escaped(row.job_title))
  if (version === '4') {
    add('language', 'LANG', escaped(row.language))
    add('gender', 'GENDER', row.gender && genders[row.gender])
    add('timezone', 'TZ', escaped(row.timezone))
  }
  add('avatar_url', version === '4' ? 'PHOTO' : 'PHOTO;VALUE=uri', row.avatar_url?.replace(/[\r\n]/g, ''))
  add('notes', 'NOTE', escaped(row.notes))
  add('tags', 'CATEGORIES', row.tags.map(escapeText).join(','))
  if (wanted.has('updated_at')) lines.push(`REV:${stamp(row.updated_at)}`)
  lines.push('END:VCARD')
  return lines.map((line) => `${fold(line)}\r\n`).join('')
}

function nameOf(row: ExportRow, wanted: Set<string>): { first_name: string; last_name: string } {
  const whole = wanted.has('full_name')
  return {
    first_name: whole || wanted.has('first_name') ? row.first_name : '',
    last_name: whole || wanted.has('last_name') ? row.last_name : '',
  }
}

function escaped(text: string | null): string | null {
  return text === null ? null : escapeText(text)
}

function escapeText(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\\,;]/g, '\\$&')
    .replace(/\r\n|\r|\n/g, '\\n')
    .replace(/[\p{Cc}\u2028\u2029]/gu, (character) => (character === '\t' ? character : ' '))
}

function stamp(time: Date): string {
  return time.toISOString().replace(/[-:]|\.\d+/g, '')
}

const lineOctetsMax = 75

/** At most 75 octets in a line, and never a character in two. */
export function fold(line: string): string {
  if (line.length * 3 <= lineOctetsMax || Buffer.byteLength(line) <= lineOctetsMax) return line
  let folded = ''
  let octets = 0
  for (const character of line) {
    const size = Buffer.byteLength(character)
    if (octets + size > lineOctetsMax) {
      folded += '\r\n '
      octets = 1
    }
    folded += character
    octets += size
  }
  return folded
}

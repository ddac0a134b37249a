/**
 * Field by field, what an undo puts back and what it leaves: what somebody has changed since stays as they made it. Pure.
 */
import { isDeepStrictEqual } from 'node:util'
import { isOwnPicture } from '../contact-fields.ts'
import type { Image } from './tables.ts'

export type Left =
  /** It is neither as the operation left it nor as it was before. */
  | 'changed_since'
  | 'email_taken'
  /** The tag or the list is not there any more, or fills itself by a rule now. */
  | 'tag_gone'
  | 'list_gone'
  /** The picture's file went when another took its place. */
  | 'file_gone'
  /** A "no" that came after the operation, or that the person gave with their own hand. */
  | 'said_no'
  /** Nobody takes back a complaint but the person. */
  | 'complaint_stays'

export interface Weighed {
  /** Columns of the contact, as they will be; custom fields as a whole. */
  columns: Record<string, unknown>
  places: { kind: 'tag' | 'list'; id: string; belongs: boolean }[]
  consent: { purpose: 'newsletter' | 'marketing'; granted: boolean }[]
  status: { from: string; to: string } | null
  /** A time: delete it again, as of then; null: bring it back. */
  deletedAt?: string | null
  left: { field: string; reason: Left }[]
}

/** `now` is the contact's row as JSON; only names in `before` are looked at. */
export function weigh(before: Image, after: Image, now: Image): Weighed {
  const weighed: Weighed = { columns: {}, places: [], consent: [], status: null, left: [] }
  const custom = now.custom_fields as Record<string, unknown>
  const customBack: Record<string, unknown> = {}
  for (const [field, old] of Object.entries(before)) {
    const place = /^(tag|list):(.+)$/.exec(field)
    if (place) {
      weighed.places.push({ kind: place[1] as 'tag' | 'list', id: place[2]!, belongs: old === true })
      continue
    }
    // It goes with the number that it is made of.
    if (field === 'phone_key') continue
    const key = field.startsWith(customPrefix) ? field.slice(customPrefix.length) : null
    const current = key === null ? now[field] : Object.hasOwn(custom, key) ? custom[key] : null
    if (isDeepStrictEqual(current, old)) continue
    if (!isDeepStrictEqual(current, after[field])) weighed.left.push({ field, reason: 'changed_since' })
    else if (key !== null) customBack[key] = old
    else putBack(weighed, field, { before, after })
  }
  if (Object.keys(customBack).length) {
    const kept = Object.entries({ ...custom, ...customBack }).filter(([, value]) => value !== null)
    weighed.columns.custom_fields = Object.fromEntries(kept)
  }
  return weighed
}

const customPrefix = 'custom_fields.'

function putBack(weighed: Weighed, field: string, { before, after }: { before: Image; after: Image }): void {
  const old = before[field]
  switch (field) {
    case 'deleted_at':
      weighed.deletedAt = old as string | null
      return
    case 'status':
      weighed.status = { from: String(after.status), to: String(old) }
      return
    case 'newsletter_subscribed':
    case 'marketing_subscribed':
      weighed.consent.push({
        purpose: field === 'newsletter_subscribed' ? 'newsletter' : 'marketing',
        granted: old === true,
      })
      return
    case 'avatar_url':
      if (isOwnPicture(old as string | null)) weighed.left.push({ field, reason: 'file_gone' })
      else weighed.columns.avatar_url = old
      return
    case 'phone':
      weighed.columns.phone = old
      if ('phone_key' in before) weighed.columns.phone_key = before.phone_key
      return
    default:
      weighed.columns[field] = old
  }
}

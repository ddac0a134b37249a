/** Ids are UUIDv7, made by the application: sorted by time, and known before the row is written. */
import { uuidv7 } from 'uuidv7'

export function newId(): string {
  return uuidv7()
}

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

export function isId(text: string): boolean {
  return uuidPattern.test(text)
}

/** The link that asks for a rating: for one ticket, for a month, and good for one rating. */
import { packUuids, unpackUuids } from '#platform/crypto/tokens.ts'
import type { Services } from '#platform/services.ts'

type Keys = Pick<Services, 'tokens'>

const purpose = 'support.satisfaction'
const lastingMs = 30 * 86_400_000

export interface RatingHolder {
  workspaceId: string
  ticketId: string
}

export function ratingToken(services: Keys, { workspaceId, ticketId }: RatingHolder, now: Date): string {
  const expiresAt = new Date(now.getTime() + lastingMs)
  return services.tokens.sign(purpose, packUuids(workspaceId, ticketId), { expiresAt })
}

/** Null when it is forged, of another purpose, or too old. */
export function readRatingToken(services: Keys, token: string): RatingHolder | null {
  const payload = services.tokens.open(purpose, token)
  const ids = payload && unpackUuids(payload, 2)
  return ids ? { workspaceId: ids[0]!, ticketId: ids[1]! } : null
}

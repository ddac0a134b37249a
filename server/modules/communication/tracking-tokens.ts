/**
 * The tokens of a mail's pixel and links: short, unforgeable, and good for one delivery alone. A link's token carries
 * its number, or where each person has an address of their own that address, so that nothing in the query decides
 * where a click leads.
 */
import { packUuids, unpackUuids } from '#platform/crypto/tokens.ts'
import type { Services } from '#platform/services.ts'

type Keys = Pick<Services, 'tokens'>

export interface TrackedDelivery {
  workspaceId: string
  deliveryId: string
}

export interface TrackedLink extends TrackedDelivery {
  number: number
  /** Null: the address that the campaign keeps under this number. */
  target: string | null
}

const deliveryBytes = 32

export function openToken(services: Keys, { workspaceId, deliveryId }: TrackedDelivery): string {
  return services.tokens.sign('communication.open', packUuids(workspaceId, deliveryId))
}

export function clickToken(services: Keys, { workspaceId, deliveryId, number, target }: TrackedLink): string {
  const place = Buffer.alloc(2)
  place.writeUInt16BE(number)
  const payload = Buffer.concat([packUuids(workspaceId, deliveryId), place, Buffer.from(target ?? '')])
  return services.tokens.sign('communication.click', payload)
}

/** Null when it was forged, or is a token of another kind. */
export function readOpenToken(services: Keys, token: string): TrackedDelivery | null {
  const payload = services.tokens.open('communication.open', token)
  const ids = payload && unpackUuids(payload, 2)
  return ids ? { workspaceId: ids[0]!, deliveryId: ids[1]! } : null
}

export function readClickToken(services: Keys, token: string): TrackedLink | null {
  const payload = services.tokens.open('communication.click', token)
  if (!payload || payload.length < deliveryBytes + 2) return null
  const ids = unpackUuids(payload.subarray(0, deliveryBytes), 2)
  const target = payload.subarray(deliveryBytes + 2).toString('utf8')
  return ids
    ? { workspaceId: ids[0]!, deliveryId: ids[1]!, number: payload.readUInt16BE(deliveryBytes), target: target || null }
    : null
}

/**
 * The tokens in a mail's pixel and links: signed, for this use alone, and naming one delivery. A link is the delivery's
 * token and the number of a link that is kept with the campaign; where each person has an address of their own, the
 * address itself is signed. So nobody can make Rapport lead to a place that it did not write to that person.
 */
import { packUuids, unpackUuids } from '#platform/crypto/tokens.ts'
import type { Services } from '#platform/services.ts'

type Keys = Pick<Services, 'tokens'>

export interface DeliveryRef {
  workspaceId: string
  deliveryId: string
}

export interface ClickRef extends DeliveryRef {
  number: number
  /** Null where the campaign's table of links has it. */
  target: string | null
}

const deliveryPurpose = 'communication.delivery'
const targetPurpose = 'communication.target'
const idsLength = 32
const linkNumberMax = 65_535

/** For the pixel of a person who allows it. */
export function openToken(services: Keys, delivery: DeliveryRef): string {
  return deliveryToken(services, delivery)
}

/** For one link; `target` where the address is this person's own. */
export function clickToken(services: Keys, { number, target, ...delivery }: ClickRef): string {
  if (target === null) return `${deliveryToken(services, delivery)}.${number}`
  const head = Buffer.alloc(2)
  head.writeUInt16BE(number)
  const ids = packUuids(delivery.workspaceId, delivery.deliveryId)
  return services.tokens.sign(targetPurpose, Buffer.concat([ids, head, Buffer.from(target)]))
}

// A mail asks once for each of its links: one signature serves all of them, and signing costs more than rendering.
let latest: { tokens: Keys['tokens']; deliveryId: string; workspaceId: string; token: string } | undefined

function deliveryToken({ tokens }: Keys, { workspaceId, deliveryId }: DeliveryRef): string {
  if (latest?.deliveryId === deliveryId && latest.workspaceId === workspaceId && latest.tokens === tokens)
    return latest.token
  latest = { tokens, workspaceId, deliveryId, token: tokens.sign(deliveryPurpose, packUuids(workspaceId, deliveryId)) }
  return latest.token
}

/** `<delivery>` or `<delivery>.gif`; null when it is not one of ours. */
export function readDeliveryToken(services: Keys, token: string): DeliveryRef | null {
  const payload = services.tokens.open(deliveryPurpose, token.replace(/\.gif$/, ''))
  const ids = payload && unpackUuids(payload, 2)
  return ids ? { workspaceId: ids[0]!, deliveryId: ids[1]! } : null
}

export function readClickToken(services: Keys, token: string): ClickRef | null {
  const numbered = /^([\w-]+)\.(\d{1,5})$/.exec(token)
  if (numbered) {
    const delivery = readDeliveryToken(services, numbered[1]!)
    const number = Number(numbered[2])
    return delivery && number <= linkNumberMax ? { ...delivery, number, target: null } : null
  }
  const payload = services.tokens.open(targetPurpose, token)
  const ids = payload && payload.length > idsLength + 2 ? unpackUuids(payload.subarray(0, idsLength), 2) : null
  if (!ids) return null
  const number = payload!.readUInt16BE(idsLength)
  return { workspaceId: ids[0]!, deliveryId: ids[1]!, number, target: payload!.toString('utf8', idsLength + 2) }
}

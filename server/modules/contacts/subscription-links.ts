/**
 * Links that people carry in their mailbox. Each kind has a key of its own, so that one cannot be used as another. Those
 * to unsubscribe never expire: a link in an old mail must work.
 */
import { packUuids, unpackUuids } from '#platform/crypto/tokens.ts'
import type { Services } from '#platform/services.ts'

type Keys = Pick<Services, 'tokens'>

export interface Holder {
  workspaceId: string
  contactId: string
  /** The campaign whose mail carried the link. */
  campaignId?: string | undefined
}

export interface ConfirmationHolder extends Holder {
  /** The request that the person is asked to confirm. */
  requestId: string
}

const confirmationMs = 7 * 86_400_000

export function unsubscribeToken(services: Keys, holder: Holder): string {
  return services.tokens.sign('contacts.unsubscribe', pack(holder))
}

export function preferencesToken(services: Keys, holder: Holder): string {
  return services.tokens.sign('contacts.preferences', pack(holder))
}

export function confirmationToken(services: Keys, { workspaceId, contactId, requestId }: ConfirmationHolder): string {
  const expiresAt = new Date(Date.now() + confirmationMs)
  return services.tokens.sign('contacts.confirm', packUuids(workspaceId, contactId, requestId), { expiresAt })
}

export function readUnsubscribeToken(services: Keys, token: string): Holder | null {
  return unpack(services.tokens.open('contacts.unsubscribe', token))
}

export function readPreferencesToken(services: Keys, token: string): Holder | null {
  return unpack(services.tokens.open('contacts.preferences', token))
}

/** Null when it is forged or has expired. */
export function readConfirmationToken(services: Keys, token: string): ConfirmationHolder | null {
  const payload = services.tokens.open('contacts.confirm', token)
  const ids = payload && unpackUuids(payload, 3)
  return ids ? { workspaceId: ids[0]!, contactId: ids[1]!, requestId: ids[2]! } : null
}

function pack({ workspaceId, contactId, campaignId }: Holder): Buffer {
  return packUuids(workspaceId, contactId, ...(campaignId ? [campaignId] : []))
}

function unpack(payload: Buffer | null): Holder | null {
  const ids = payload && (unpackUuids(payload, 2) ?? unpackUuids(payload, 3))
  return ids ? { workspaceId: ids[0]!, contactId: ids[1]!, campaignId: ids[2] } : null
}

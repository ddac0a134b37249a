/** Before a campaign goes out: how many it would reach, and who would be skipped and why. */
import type { Tx } from '#platform/db/db.ts'
import type { Services } from '#platform/services.ts'
import {
  countAudience,
  isSuppressed,
  pageAudience,
  recipientsOf,
  sendability,
  type Audience,
  type Category,
} from '#modules/contacts/index.ts'

/** Asked person by person up to here; beyond, the shares of the sample stand for all. */
const sampleMax = 20_000
const chunkSize = 5_000

export async function measureAudience(tx: Tx, services: Services, audience: Audience, category: Category) {
  const size = await countAudience(tx, audience)
  const skipped: Record<string, number> = {}
  let seen = 0
  let afterId: string | null = null
  while (seen < sampleMax) {
    const chunk: { id: string }[] = await pageAudience(tx, audience, afterId, chunkSize)
    const recipients = await recipientsOf(
      tx,
      chunk.map((row) => row.id),
    )
    const suppressed = await isSuppressed(
      tx,
      services,
      recipients.map((recipient) => recipient.email),
      category,
    )
    for (const recipient of recipients) {
      const reason = sendability(recipient, category, suppressed.has(recipient.email))
      if (reason) skipped[reason] = (skipped[reason] ?? 0) + 1
    }
    seen += chunk.length
    if (chunk.length < chunkSize) break
    afterId = chunk.at(-1)!.id
  }
  const scale = seen ? size / seen : 1
  const estimated = Object.entries(skipped).map(([reason, count]) => [reason, Math.round(count * scale)] as const)
  const left = size - estimated.reduce((sum, [, count]) => sum + count, 0)
  return { size, sendable: Math.max(0, left), skipped_by_reason: Object.fromEntries(estimated) }
}

/** A mail of a campaign that went out an hour ago to somebody who allows tracking, with one link. */
import { newId } from '#platform/ids.ts'
import type { TestApp } from '../start.ts'

/** Answers the token that stands in its pixel and its link. */
export async function sendMail({ app, world, inTx }: TestApp, contact: { id: string; email: string }): Promise<string> {
  const { openToken } = await import('#modules/communication/tracking-tokens.ts')
  const { workspaceId } = world
  const [campaignId, deliveryId] = [newId(), newId()]
  const own = { workspace_id: workspaceId, campaign_id: campaignId }
  await inTx(async ({ sql }) => {
    await sql.updateTable('contacts.contacts').set({ tracking_allowed: true }).where('id', '=', contact.id).execute()
    await sql
      .insertInto('communication.campaigns')
      .values({ workspace_id: workspaceId, id: campaignId, name: campaignId, target_audience: '{}' })
      .execute()
    await sql
      .insertInto('communication.links')
      .values({ ...own, number: 0, url: 'https://moulin.example/menu' })
      .execute()
    await sql
      .insertInto('communication.deliveries')
      .values({
        ...own,
        contact_id: contact.id,
        id: deliveryId,
        email: contact.email,
        domain: 'example.com',
        state: 'sent',
        tracked: true,
        sent_at: new Date(Date.now() - 3_600_000),
      })
      .execute()
  })
  return openToken(app.runtime, { workspaceId, deliveryId })
}

/**
 * Campaigns of the past with their whole ledger, and the newest of their mails in the sandbox inbox: for the demo. The
 * content goes through the real composer, so links, headers and unsubscribe addresses in those mails work.
 */
import { sql } from 'kysely'
import { recipientsOf, type Recipient } from '#modules/contacts/index.ts'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { newId } from '#platform/ids.ts'
import { buildMail } from '#platform/mail/build.ts'
import type { Services } from '#platform/services.ts'
import type { CampaignInput } from './campaign-shapes.ts'
import { createCampaign, getCampaign } from './campaigns.ts'
import { keepLinks, openComposer, type Composer } from './engine/compose.ts'
import type { DeliveryState } from './tables.ts'

export interface PastCampaign {
  id: string
  links: { number: number; url: string }[]
  composer: Composer
}

export interface DeliverySeed {
  id: string
  contact_id: string
  email: string
  full_name: string
  state: Extract<DeliveryState, 'sent' | 'failed' | 'skipped'>
  reason: string | null
  code: number | null
  response: string | null
  attempts: number
  tracked: boolean
  sent_at: Date | null
  opens: number
  opens_machine: number
  opened_at: Date | null
  clicks: ClickSeed[]
  unsubscribed_at: Date | null
}

export interface ClickSeed {
  number: number
  first_at: Date
  clicks: number
  clicks_machine: number
}

/** The campaign as it was before it went out; `seedLedger` tells what became of it. */
export async function seedPastCampaign(
  tx: Tx,
  actor: Actor,
  services: Services,
  input: CampaignInput,
): Promise<PastCampaign> {
  const { campaign } = await createCampaign(tx, actor, input)
  const composer = await openComposer(tx, services, await getCampaign(tx, campaign.id))
  if ('errors' in composer) throw new Error(`${input.name}: ${JSON.stringify(composer.errors)}`)
  await keepLinks(tx, campaign.id, composer.links)
  return { id: campaign.id, links: composer.links, composer }
}

/** The campaign went out at `launchedAt` to these recipients, and everything about it is settled. */
export async function seedLedger(
  tx: Tx,
  { id, composer }: PastCampaign,
  launchedAt: Date,
  deliveries: DeliverySeed[],
): Promise<void> {
  const clicks = deliveries.flatMap((row) => row.clicks.map((click) => ({ ...click, contact_id: row.contact_id })))
  const rows = deliveries.map(({ clicks: own, ...row }) => ({
    ...row,
    message_id: row.state === 'skipped' ? null : composer.messageIdOf(row.contact_id),
    clicks: sum(own.map((click) => click.clicks)),
    clicks_machine: sum(own.map((click) => click.clicks_machine)),
    clicked_at:
      own
        .filter((click) => click.clicks)
        .map((click) => click.first_at)
        .toSorted((a, b) => a.getTime() - b.getTime())[0] ?? null,
  }))
  await sql`
    insert into communication.deliveries (workspace_id, campaign_id, contact_id, id, email, full_name, domain, state, reason,
      code, response, attempts, message_id, tracked, created_at, handed_over_at, sent_at, settled_at, opens, opens_machine,
      opened_at, clicks, clicks_machine, clicked_at, unsubscribed_at)
    select ${tx.workspaceId}::uuid, ${id}::uuid, contact_id, id, email, full_name, lower(split_part(email, '@', 2)), state, reason,
      code, response, attempts, message_id, tracked, ${launchedAt}::timestamptz, sent_at, sent_at,
      coalesce(sent_at, ${launchedAt}::timestamptz), opens, opens_machine, opened_at, clicks, clicks_machine, clicked_at,
      unsubscribed_at
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as row(contact_id uuid, id uuid, email text, full_name text,
      state text, reason text, code int, response text, attempts int, message_id text, tracked boolean, sent_at timestamptz,
      opens int, opens_machine int, opened_at timestamptz, clicks int, clicks_machine int, clicked_at timestamptz,
      unsubscribed_at timestamptz)`.execute(tx.sql)
  await seedClicks(tx, id, clicks)
  const completedAt = new Date(Math.max(...deliveries.map((row) => row.sent_at?.getTime() ?? launchedAt.getTime())))
  await tx.sql
    .updateTable('communication.campaigns')
    .set({
      status: 'completed',
      scheduled_at: launchedAt,
      launched_at: launchedAt,
      frozen_at: launchedAt,
      completed_at: completedAt,
      created_at: new Date(launchedAt.getTime() - 2 * 86_400_000),
    })
    .where('id', '=', id)
    .execute()
}

async function seedClicks(tx: Tx, campaignId: string, clicks: (ClickSeed & { contact_id: string })[]): Promise<void> {
  await sql`
    with kept as (
      insert into communication.link_clicks (workspace_id, campaign_id, number, contact_id, first_at, clicks, clicks_machine)
      select ${tx.workspaceId}::uuid, ${campaignId}::uuid, number, contact_id, first_at, clicks, clicks_machine
      from jsonb_to_recordset(${JSON.stringify(clicks)}::jsonb)
        as row(number int, contact_id uuid, first_at timestamptz, clicks int, clicks_machine int)
      returning number, clicks, clicks_machine
    ), sums as (
      select number, sum(clicks)::int as clicks, sum(clicks_machine)::int as clicks_machine,
        count(*) filter (where clicks > 0)::int as unique_clicks
      from kept group by number)
    update communication.links l
    set clicks = s.clicks, clicks_machine = s.clicks_machine, unique_clicks = s.unique_clicks
    from sums s where l.workspace_id = ${tx.workspaceId} and l.campaign_id = ${campaignId} and l.number = s.number
  `.execute(tx.sql)
}

/** Puts the mails of these deliveries into the sandbox inbox, as they went out at the time. */
export async function seedSandbox(tx: Tx, { id, composer }: PastCampaign, deliveries: DeliverySeed[]): Promise<void> {
  const recipients = new Map<string, Recipient>()
  for (const recipient of await recipientsOf(
    tx,
    deliveries.map((row) => row.contact_id),
  ))
    recipients.set(recipient.id, recipient)
  for (const delivery of deliveries) {
    const recipient = recipients.get(delivery.contact_id)
    if (!recipient || !delivery.sent_at) continue
    const mail = { ...composer.compose(recipient, delivery.id), date: delivery.sent_at }
    const { raw, envelope } = await buildMail(mail)
    await tx.sql
      .insertInto('communication.sandbox_messages')
      .values({
        workspace_id: tx.workspaceId,
        id: newId(),
        sender: mail.from.name ? `${mail.from.name} <${envelope.from}>` : envelope.from,
        recipient: envelope.to,
        subject: mail.subject,
        campaign_id: id,
        contact_id: delivery.contact_id,
        raw,
        size_bytes: raw.length,
        received_at: delivery.sent_at,
      })
      .execute()
  }
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

/** What can be done to a campaign. Each change of status locks its row first, so that two people cannot pull apart. */
import { sql, type Updateable } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { checkVersion, Conflict, Invalid, NotFound } from '#platform/errors.ts'
import { newId } from '#platform/ids.ts'
import { checkAudience, type Audience } from '#modules/contacts/index.ts'
import { moveCampaign, type CampaignMove } from './campaign-status.ts'
import type { CampaignInput, CampaignPatch, ChannelInput } from './campaign-shapes.ts'
import type { Campaign, CampaignTable, Channel } from './tables.ts'
import { requeueRest } from './deliveries.ts'

export const freezeJob = 'communication.freeze_audience'
export const launchJob = 'communication.launch'

export interface WholeCampaign {
  campaign: Campaign
  channels: Channel[]
}

export async function getCampaign(tx: Tx, id: string): Promise<WholeCampaign> {
  const campaign = await tx.sql
    .selectFrom('communication.campaigns')
    .selectAll()
    .where('id', '=', id)
    .where('deleted_at', 'is', null)
    .executeTakeFirst()
  if (!campaign) throw new NotFound('campaign')
  return { campaign, channels: await channelsOf(tx, [id]) }
}

export async function channelsOf(tx: Tx, campaignIds: string[]): Promise<Channel[]> {
  return tx.sql
    .selectFrom('communication.campaign_channels')
    .selectAll()
    .where('campaign_id', 'in', campaignIds)
    .orderBy('campaign_id')
    .orderBy('number')
    .execute()
}

export async function createCampaign(tx: Tx, actor: Actor, input: CampaignInput): Promise<WholeCampaign> {
  const id = newId()
  requireOrderedDates(input)
  await checkAudience(tx, input.target_audience, '/target_audience')
  const fields = campaignFields(input)
  await tx.sql
    .insertInto('communication.campaigns')
    .values({
      workspace_id: tx.workspaceId,
      id,
      created_by: actor.id,
      ...fields,
      name: input.name,
      target_audience: JSON.stringify(input.target_audience ?? {}),
    })
    .execute()
  await writeChannels(tx, id, input.channels ?? [])
  await tx.publish('campaign.created', id, { campaign_id: id, name: input.name })
  return getCampaign(tx, id)
}

export async function updateCampaign(
  tx: Tx,
  _actor: Actor,
  id: string,
  patch: CampaignPatch,
  ifVersion?: number,
): Promise<WholeCampaign> {
  const campaign = await lockCampaign(tx, id, ifVersion)
  moveCampaign(campaign.status, 'edit')
  requireOrderedDates({
    start_date: campaign.start_date?.toISOString(),
    end_date: campaign.end_date?.toISOString(),
    ...patch,
  })
  await checkAudience(tx, patch.target_audience, '/target_audience')
  const { channels, ...fields } = patch
  // Channels are part of the record: a change to them alone is a new version as well.
  const changed = Object.keys(fields).length ? campaignFields(fields) : { name: campaign.name }
  await tx.sql.updateTable('communication.campaigns').set(changed).where('id', '=', id).execute()
  if (channels) await writeChannels(tx, id, channels)
  return getCampaign(tx, id)
}

export async function deleteCampaign(tx: Tx, _actor: Actor, id: string, ifVersion?: number): Promise<void> {
  const campaign = await lockCampaign(tx, id, ifVersion)
  moveCampaign(campaign.status, 'delete')
  await tx.sql.updateTable('communication.campaigns').set({ deleted_at: tx.now }).where('id', '=', id).execute()
  await stopSending(tx, id)
}

export async function restoreCampaign(tx: Tx, _actor: Actor, id: string): Promise<WholeCampaign> {
  await tx.sql
    .updateTable('communication.campaigns')
    .set({ deleted_at: null, status: sql`case status when 'scheduled' then 'draft' else status end` })
    .where('id', '=', id)
    .where('deleted_at', 'is not', null)
    .execute()
  return getCampaign(tx, id)
}

export async function duplicateCampaign(tx: Tx, actor: Actor, id: string, name?: string): Promise<WholeCampaign> {
  const { campaign, channels } = await getCampaign(tx, id)
  return createCampaign(tx, actor, {
    name: name ?? `${campaign.name} (copy)`.slice(0, 200),
    description: campaign.description,
    category: campaign.category,
    target_audience: campaign.target_audience as Audience,
    budget: campaign.budget,
    success_metrics: campaign.success_metrics,
    channels: channels.map(({ type, config, content_template }) => ({ type, config, content_template })),
  })
}

/** Now, or at `sendAt`; the audience is read when sending begins, not before. */
export async function launchCampaign(
  tx: Tx,
  actor: Actor,
  id: string,
  options: { sendAt?: Date | null; timezone?: string | null; ifVersion?: number | undefined } = {},
): Promise<WholeCampaign> {
  const campaign = await lockCampaign(tx, id, options.ifVersion)
  const channels = await channelsOf(tx, [id])
  requireSendable(channels)
  const scheduled = channels[0]?.schedule.send_at
  const sendAt = options.sendAt ?? (typeof scheduled === 'string' ? new Date(scheduled) : null)
  if (!sendAt || sendAt <= tx.now) return begin(tx, actor, campaign)
  await setStatus(tx, campaign, 'schedule', { scheduled_at: sendAt, timezone: options.timezone ?? null })
  await tx.enqueue(
    launchJob,
    { campaign_id: id, scheduled_at: sendAt.toISOString() },
    { runAt: sendAt, createdBy: actor.id },
  )
  return getCampaign(tx, id)
}

/** The scheduled moment has come; a campaign that was moved, paused or edited meanwhile is left alone. */
export async function launchScheduled(tx: Tx, actor: Actor, id: string, scheduledAt: string): Promise<void> {
  const campaign = await lockCampaign(tx, id).catch(() => null)
  if (campaign?.status !== 'scheduled' || campaign.scheduled_at?.toISOString() !== scheduledAt) return
  await begin(tx, actor, campaign)
}

async function begin(tx: Tx, actor: Actor, campaign: Campaign): Promise<WholeCampaign> {
  const { id } = campaign
  await setStatus(tx, campaign, 'launch', { launched_at: tx.now, scheduled_at: campaign.scheduled_at ?? tx.now })
  await tx.sql
    .insertInto('communication.sending')
    .values({ workspace_id: tx.workspaceId, campaign_id: id })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  await tx.enqueue(freezeJob, { campaign_id: id }, { createdBy: actor.id })
  await tx.publish('campaign.launched', id, { campaign_id: id, name: campaign.name })
  return getCampaign(tx, id)
}

/** What was handed over is gone; nothing new goes out once this commits, but for the few mails in hand. */
export async function pauseCampaign(tx: Tx, _actor: Actor, id: string, reason?: string): Promise<WholeCampaign> {
  const campaign = await lockCampaign(tx, id)
  const update = campaign.status === 'scheduled' ? { scheduled_at: null } : { pause_reason: reason ?? null }
  await setStatus(tx, campaign, 'pause', update)
  await stopSending(tx, id)
  await tx.publish('campaign.paused', id, { campaign_id: id, reason: reason ?? null })
  return getCampaign(tx, id)
}

export async function resumeCampaign(tx: Tx, _actor: Actor, id: string): Promise<WholeCampaign> {
  const campaign = await lockCampaign(tx, id)
  await setStatus(tx, campaign, 'resume', { pause_reason: null })
  await startSending(tx, id)
  await tx.publish('campaign.resumed', id, { campaign_id: id })
  return getCampaign(tx, id)
}

/** Ends it for good; who was still waiting is `skipped (canceled)` in the ledger. */
export async function cancelCampaign(tx: Tx, _actor: Actor, id: string): Promise<WholeCampaign> {
  const campaign = await lockCampaign(tx, id)
  await setStatus(tx, campaign, 'cancel', { completed_at: tx.now })
  await stopSending(tx, id)
  await tx.sql
    .updateTable('communication.deliveries')
    .set({ state: 'skipped', reason: 'canceled', claim: null, lease_until: null, settled_at: tx.now })
    .where('campaign_id', '=', id)
    .where('state', 'in', ['queued', 'claimed', 'retry'])
    .execute()
  await tx.publish('campaign.canceled', id, { campaign_id: id })
  return getCampaign(tx, id)
}

/** "Send to the rest": who failed for a passing reason, was skipped and may get it now, or joined the audience since. */
export async function sendToRest(
  tx: Tx,
  actor: Actor,
  id: string,
): Promise<{ whole: WholeCampaign; requeued: number }> {
  const campaign = await lockCampaign(tx, id)
  await setStatus(tx, campaign, 'send_to_rest', { completed_at: null, frozen_at: null })
  const requeued = await requeueRest(tx, id)
  await startSending(tx, id)
  await tx.enqueue(freezeJob, { campaign_id: id }, { createdBy: actor.id })
  return { whole: await getCampaign(tx, id), requeued }
}

export async function completeCampaign(tx: Tx, campaign: Campaign): Promise<void> {
  await setStatus(tx, campaign, 'complete', { completed_at: tx.now })
  await stopSending(tx, campaign.id)
  await tx.publish('campaign.completed', campaign.id, { campaign_id: campaign.id, name: campaign.name })
}

export async function lockCampaign(tx: Tx, id: string, ifVersion?: number): Promise<Campaign> {
  const campaign = await tx.sql
    .selectFrom('communication.campaigns')
    .selectAll()
    .where('id', '=', id)
    .where('deleted_at', 'is', null)
    .forUpdate()
    .executeTakeFirst()
  if (!campaign) throw new NotFound('campaign')
  checkVersion(campaign.version, ifVersion)
  return campaign
}

async function setStatus(
  tx: Tx,
  campaign: Campaign,
  move: CampaignMove,
  also: Updateable<CampaignTable>,
): Promise<void> {
  const status = moveCampaign(campaign.status, move)
  await tx.sql
    .updateTable('communication.campaigns')
    .set({ status, ...also })
    .where('id', '=', campaign.id)
    .execute()
  tx.notify('campaign', { id: campaign.id, status })
}

async function startSending(tx: Tx, id: string): Promise<void> {
  await tx.sql
    .insertInto('communication.sending')
    .values({ workspace_id: tx.workspaceId, campaign_id: id })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

async function stopSending(tx: Tx, id: string): Promise<void> {
  await tx.sql
    .deleteFrom('communication.sending')
    .where('workspace_id', '=', tx.workspaceId)
    .where('campaign_id', '=', id)
    .execute()
}

function campaignFields(input: Partial<CampaignInput>): Partial<Updateable<CampaignTable>> {
  const { channels: _channels, target_audience, success_metrics, start_date, end_date, ...plain } = input
  return {
    ...plain,
    ...(target_audience ? { target_audience: JSON.stringify(target_audience) } : {}),
    ...(success_metrics ? { success_metrics: JSON.stringify(success_metrics) } : {}),
    ...(start_date === undefined ? {} : { start_date: start_date === null ? null : new Date(start_date) }),
    ...(end_date === undefined ? {} : { end_date: end_date === null ? null : new Date(end_date) }),
  }
}

async function writeChannels(tx: Tx, id: string, channels: ChannelInput[]): Promise<void> {
  await tx.sql.deleteFrom('communication.campaign_channels').where('campaign_id', '=', id).execute()
  if (!channels.length) return
  const rows = channels.map((channel, number) => ({
    workspace_id: tx.workspaceId,
    campaign_id: id,
    number,
    type: channel.type,
    config: JSON.stringify(channel.config ?? {}),
    content_template: channel.content_template ?? '',
    schedule: JSON.stringify(channel.schedule ?? {}),
  }))
  await tx.sql.insertInto('communication.campaign_channels').values(rows).execute()
}

function requireOrderedDates(input: {
  start_date?: string | null | undefined
  end_date?: string | null | undefined
}): void {
  if (input.start_date && input.end_date && new Date(input.end_date) < new Date(input.start_date)) {
    throw Invalid.at('/end_date', 'order', 'The end lies before the start.')
  }
}

/** What must be there before anything can go out; each missing part is named. */
function requireSendable(channels: Channel[]): void {
  const errors = channels.flatMap((channel, index) => {
    const at = (pointer: string, code: string, detail: string) => ({
      pointer: `/channels/${index}${pointer}`,
      code,
      detail,
    })
    if (channel.type !== 'email')
      return [at('/type', 'no_connection', `There is no connection for ${channel.type} yet.`)]
    const missing = []
    if (!channel.config.subject) missing.push(at('/config/subject', 'required', 'A mail needs a subject.'))
    if (!channel.content_template.trim() && !channel.config.template_id && !channel.config.text_template) {
      missing.push(at('/content_template', 'required', 'A mail needs a text.'))
    }
    return missing
  })
  if (!channels.length) throw new Conflict('campaign_without_channel', 'This campaign has no channel to go out by.')
  if (channels.length > 1) {
    errors.push({ pointer: '/channels/1', code: 'one_channel', detail: 'One e-mail channel per campaign can be sent.' })
  }
  if (errors.length) throw new Invalid('campaign_incomplete', 'The campaign is not complete yet.', { errors })
}

/** Looking at a mail before anybody else does: on the screen, and in one's own mailbox. */
import type { JobDefinition } from '#platform/jobs/job.ts'
import type { Tx } from '#platform/db/db.ts'
import { Invalid, NotFound } from '#platform/errors.ts'
import { newId } from '#platform/ids.ts'
import type { Services } from '#platform/services.ts'
import { recipientsOf, type Recipient } from '#modules/contacts/index.ts'
import { getCampaign, type WholeCampaign } from './campaigns.ts'
import type { ChannelInput } from './campaign-shapes.ts'
import { openComposer } from './engine/compose.ts'
import type { Category } from './tables.ts'

/** Shown where no contact is named. */
const someone: Recipient = {
  id: '00000000-0000-7000-8000-000000000000',
  email: 'camille.martin@example.org',
  first_name: 'Camille',
  last_name: 'Martin',
  full_name: 'Camille Martin',
  company: 'Atelier Martin',
  job_title: null,
  language: 'fr',
  timezone: null,
  custom_fields: {},
  tags: [],
  status: 'active',
  is_active: true,
  newsletter_subscribed: true,
  marketing_subscribed: true,
  tracking_allowed: false,
  deleted_at: null,
}

export async function previewCampaign(
  tx: Tx,
  services: Services,
  input: { channel: ChannelInput; category?: Category; contact_id?: string },
) {
  const composer = await openComposer(tx, services, draftOf(tx, input.channel, input.category ?? 'marketing'))
  if ('errors' in composer) return { subject: '', html: '', text: '', headers: {}, errors: composer.errors }
  const recipient = await recipientFor(tx, input.contact_id)
  const mail = composer.compose({ ...recipient, tracking_allowed: false }, newId())
  return { subject: mail.subject, html: mail.html ?? '', text: mail.text, headers: mail.headers, errors: [] }
}

export const testJob = 'communication.send_test'

export async function sendTest(
  tx: Tx,
  campaignId: string,
  input: { to: string[]; contact_id?: string },
): Promise<void> {
  await tx.enqueue(testJob, { campaign_id: campaignId, ...input })
}

export const sendTestMails: JobDefinition = {
  kind: testJob,
  retryLimit: 2,
  concurrency: 1,
  async run({ data, runtime, transaction }) {
    const mails = await transaction(async (tx) => {
      const composer = await openComposer(tx, runtime, await getCampaign(tx, String(data.campaign_id)))
      if ('errors' in composer) throw new Invalid('content', composer.errors.map((fault) => fault.detail).join(' '))
      const recipient = await recipientFor(tx, data.contact_id as string | undefined)
      return (data.to as string[]).map((email) => {
        const mail = composer.compose({ ...recipient, email, tracking_allowed: false }, newId())
        return {
          ...mail,
          subject: `[Test] ${mail.subject}`,
          messageId: `<test.${newId()}@${mail.from.address.split('@')[1]}>`,
        }
      })
    })
    for (const mail of mails) {
      const handover = await runtime.mail.send(mail)
      if (handover.outcome !== 'sent') runtime.log.warn({ outcome: handover.outcome }, 'a test mail was not taken')
    }
    return { sent: mails.length }
  },
}

async function recipientFor(tx: Tx, contactId: string | undefined): Promise<Recipient> {
  if (!contactId) return someone
  const [recipient] = await recipientsOf(tx, [contactId])
  if (!recipient) throw new NotFound('contact')
  return recipient
}

function draftOf(tx: Tx, channel: ChannelInput, category: Category): WholeCampaign {
  const id = newId()
  const { type, config = {}, content_template = '', schedule = {} } = channel
  const row = { workspace_id: tx.workspaceId, campaign_id: id, number: 0, type, config, content_template, schedule }
  const now = tx.now
  return {
    campaign: {
      workspace_id: tx.workspaceId,
      id,
      name: '',
      description: '',
      category,
      status: 'draft',
      start_date: null,
      end_date: null,
      target_audience: {},
      budget: null,
      success_metrics: {},
      scheduled_at: null,
      timezone: null,
      launched_at: null,
      frozen_at: null,
      completed_at: null,
      pause_reason: null,
      created_by: null,
      version: 1,
      created_at: now,
      updated_at: now,
      deleted_at: null,
    },
    channels: [row],
  }
}

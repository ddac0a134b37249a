/** What is wrong with the sender or the content is wrong for everybody: the campaign stops and says why. */
import type { Tx } from '#platform/db/db.ts'
import { systemActor } from '#platform/actor.ts'
import type { Runtime } from '#platform/services.ts'
import { pauseCampaign } from '../campaigns.ts'
import type { Held } from './ledger.ts'
import type { Outcome } from './outcome.ts'
import type { MailFault } from '../render/template.ts'

export async function pauseForSender(runtime: Runtime, held: Held, outcome: Outcome): Promise<void> {
  const reason = `The mail server refuses this sender: ${outcome.code ?? ''} ${outcome.response ?? ''}`.trim()
  runtime.log.error(
    { campaign_id: held.campaignId, code: outcome.code },
    'a campaign was paused: the sender is refused',
  )
  await runtime.db
    .transaction(held.workspaceId, (tx) =>
      pauseCampaign(tx, systemActor(held.workspaceId), held.campaignId, reason.slice(0, 500)),
    )
    .catch(() => {}) // another lane was first, or somebody canceled it
}

export async function pauseForContent(tx: Tx, campaignId: string, faults: MailFault[]): Promise<void> {
  const reason = `The content cannot be sent: ${faults.map((fault) => `line ${fault.line}: ${fault.detail}`).join(' ')}`
  await pauseCampaign(tx, systemActor(tx.workspaceId), campaignId, reason.slice(0, 500))
}

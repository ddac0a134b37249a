/** The life of a campaign: pure, no I/O. `completed` and `canceled` are the ends; sending to the rest opens a completed one again. */
import { Conflict } from '#platform/errors.ts'
import type { CampaignStatus } from './tables.ts'

export const campaignMoves = [
  'edit',
  'schedule',
  'launch',
  'pause',
  'resume',
  'cancel',
  'complete',
  'send_to_rest',
  'delete',
] as const
export type CampaignMove = (typeof campaignMoves)[number]

/** From each status, the moves that it allows and where they lead. */
const table: Record<CampaignStatus, Partial<Record<CampaignMove, CampaignStatus>>> = {
  draft: { edit: 'draft', schedule: 'scheduled', launch: 'active', delete: 'draft' },
  scheduled: {
    edit: 'scheduled',
    schedule: 'scheduled',
    launch: 'active',
    pause: 'draft',
    cancel: 'canceled',
    delete: 'scheduled',
  },
  active: { pause: 'paused', cancel: 'canceled', complete: 'completed' },
  paused: { resume: 'active', cancel: 'canceled' },
  completed: { send_to_rest: 'active', delete: 'completed' },
  canceled: { send_to_rest: 'active', delete: 'canceled' },
}

/** Where a move leads; null when the status does not allow it. */
export function nextStatus(from: CampaignStatus, move: CampaignMove): CampaignStatus | null {
  return table[from][move] ?? null
}

/** The same, or `Conflict` with a sentence that says what is possible instead. */
export function moveCampaign(from: CampaignStatus, move: CampaignMove): CampaignStatus {
  const to = nextStatus(from, move)
  if (to) return to
  const possible = Object.keys(table[from]).join(', ')
  throw new Conflict(
    'campaign_status',
    `A campaign that is ${from} cannot ${move.replaceAll('_', ' ')}; possible now: ${possible}.`,
  )
}

/** What a person may do with a campaign in this status: the web application shows the buttons by it. */
export function possibleMoves(from: CampaignStatus): Record<Exclude<CampaignMove, 'complete'>, boolean> {
  const entries = campaignMoves
    .filter((move) => move !== 'complete')
    .map((move) => [move, nextStatus(from, move) !== null])
  return Object.fromEntries(entries)
}

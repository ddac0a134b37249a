/** A campaign as it goes out, with its figures and what the asker may do with it. */
import { may, type Actor } from '#platform/actor.ts'
import type { Services } from '#platform/services.ts'
import type { WholeCampaign } from './campaigns.ts'
import type { Counts } from './campaign-shapes.ts'
import { possibleMoves } from './campaign-status.ts'

export function viewCampaign({ campaign, channels }: WholeCampaign, counts: Counts, actor: Actor, services: Services) {
  const { workspace_id: _w, created_by: _b, version: _v, frozen_at, deleted_at: _d, ...shown } = campaign
  const allowed = may(services.permissions, actor, 'communication.send')
  const moves = Object.entries(possibleMoves(campaign.status)).map(([move, possible]) => [move, possible && allowed])
  return {
    ...shown,
    audience_size: frozen_at ? counts.total : null,
    channels: channels.map(({ type, config, content_template, schedule }) => ({
      type,
      config,
      content_template,
      schedule,
      analytics: type === 'email' ? rates(counts) : {},
    })),
    counts,
    can: Object.fromEntries(moves) as Record<string, boolean>,
  }
}

/** Shares of those who got it, from 0 to 1; people alone, no machines. */
function rates(counts: Counts): Record<string, number> {
  const sent = counts.sent || 1
  const share = (name: keyof Counts): number => Math.round((counts[name] / sent) * 10_000) / 10_000
  return {
    sent: counts.sent,
    open_rate: share('opened'),
    click_rate: share('clicked'),
    unsubscribe_rate: share('unsubscribed'),
  }
}

import type { CampaignCounts } from '../api/types.ts'

/** How far a campaign is: what is sent, failed or skipped will not move again. */
export function progressOf(counts: CampaignCounts | undefined): { settled: number; total: number; share: number } {
  const total = counts?.total ?? 0
  const settled = (counts?.sent ?? 0) + (counts?.failed ?? 0) + (counts?.skipped ?? 0)
  return { settled, total, share: total > 0 ? settled / total : 0 }
}

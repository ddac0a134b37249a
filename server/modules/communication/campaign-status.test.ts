import fc from 'fast-check'
import { expect, test } from 'vitest'
import { campaignMoves, moveCampaign, nextStatus, possibleMoves, type CampaignMove } from './campaign-status.ts'
import { campaignStatuses, type CampaignStatus } from './tables.ts'

test('document 2’s life of a campaign', () => {
  const walk = (...moves: CampaignMove[]) => moves.reduce<CampaignStatus>(moveCampaign, 'draft')
  expect(walk('schedule', 'launch', 'pause', 'resume', 'complete')).toBe('completed')
  expect(walk('launch', 'cancel')).toBe('canceled')
  expect(walk('schedule', 'pause')).toBe('draft')
  expect(walk('launch', 'complete', 'send_to_rest')).toBe('active')
})

test('whatever is tried, a campaign that goes out is not edited, and an end is left by "send to the rest" alone', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...campaignStatuses),
      fc.array(fc.constantFrom(...campaignMoves), { maxLength: 30 }),
      (from, moves) => {
        let status = from
        for (const move of moves) {
          const next = nextStatus(status, move)
          if (!next) expect(() => moveCampaign(status, move)).toThrow()
          if (next && move === 'edit') expect(['draft', 'scheduled']).toContain(status)
          if (next && next !== status && ['completed', 'canceled'].includes(status)) expect(move).toBe('send_to_rest')
          status = next ?? status
        }
        expect(Object.keys(possibleMoves(status))).not.toContain('complete')
      },
    ),
  )
})

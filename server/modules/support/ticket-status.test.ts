import fc from 'fast-check'
import { expect, test } from 'vitest'
import { followMove, isEnded, moveTowards, nextStatus, possibleMoves, ticketMoves } from './ticket-status.ts'
import { ticketStatuses, type TicketStatus } from './tables.ts'

test('document 3’s life of a ticket', () => {
  const walk = (...moves: (typeof ticketMoves)[number][]) =>
    moves.reduce<TicketStatus>((status, move) => followMove(status, move, true), 'open')
  expect(walk('assign', 'start', 'ask', 'resolve', 'close')).toBe('closed')
  expect(walk('assign', 'ask', 'answer')).toBe('in_progress')
  expect(walk('resolve', 'reopen')).toBe('in_progress')
  expect(nextStatus('closed', 'reopen', false)).toBe('open')
  for (const status of ticketStatuses) expect(nextStatus(status, 'close', true)).toBe('closed')
  expect(() => walk('close', 'resolve')).toThrow('possible now: close, reopen')
})

const statuses = fc.constantFrom(...ticketStatuses)

test('whatever is tried: only "reopen" leaves an end, and what nobody has is never in work', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...ticketMoves), { maxLength: 40 }), (moves) => {
      let status: TicketStatus = 'open'
      let hasAgent = false
      for (const move of moves) {
        const agentThen: boolean = move === 'unassign' ? false : hasAgent || ['assign', 'start', 'ask'].includes(move)
        const next = nextStatus(status, move, agentThen)
        if (!next) {
          expect(() => followMove(status, move, agentThen)).toThrow()
          continue
        }
        if (isEnded(status) && !isEnded(next)) expect(move).toBe('reopen')
        if (status === 'closed' && next !== 'closed') expect(move).toBe('reopen')
        hasAgent = agentThen
        status = next
        if (['assigned', 'in_progress', 'waiting_customer'].includes(status)) expect(hasAgent).toBe(true)
        if (status === 'open') expect(hasAgent).toBe(false)
        expect(possibleMoves(status)).toContain('close')
      }
    }),
  )
})

test('a status asked for by its name is reached by a move that leads there, or the refusal says what to do', () => {
  fc.assert(
    fc.property(statuses, statuses, (from, to) => {
      let move: ReturnType<typeof moveTowards>
      try {
        move = moveTowards(from, to)
      } catch (error) {
        expect((error as Error).message.length).toBeGreaterThan(20)
        return
      }
      if (!move) {
        expect(from).toBe(to)
        return
      }
      const reached = nextStatus(from, move, !['open', 'unassign'].includes(to))
      // Of a ticket that comes back, one that nobody has is open, whichever of the two was asked for.
      if (reached && move !== 'reopen') expect(reached).toBe(to)
    }),
  )
})

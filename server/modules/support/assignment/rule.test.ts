import fc from 'fast-check'
import { expect, test } from 'vitest'
import { priorities } from '../tables.ts'
import { planAssignments, weights, type Candidate, type WaitingTicket } from './rule.ts'

const agent = (id: string, more: Partial<Candidate> = {}): Candidate => ({
  id,
  isOnline: true,
  capacity: 10,
  load: 0,
  assignedAtMs: null,
  categories: [],
  ...more,
})
const ticket = (id: string, more: Partial<WaitingTicket> = {}): WaitingTicket => ({
  id,
  priority: 'normal',
  category: null,
  openedAtMs: 0,
  notFor: [],
  ...more,
})
const plan = (agents: Candidate[], tickets: WaitingTicket[]): string[] =>
  planAssignments(agents, tickets, 1_000).map(({ ticketId, agentId }) => `${ticketId} to ${agentId}`)

test.each<[string, Candidate[], WaitingTicket[], string[]]>([
  ['nobody there', [agent('a', { isOnline: false })], [ticket('t')], []],
  ['the least loaded', [agent('a', { load: 3 }), agent('b', { load: 2 })], [ticket('t')], ['t to b']],
  [
    'least filled, not least loaded',
    [agent('a', { load: 3, capacity: 40 }), agent('b', { load: 2 })],
    [ticket('t')],
    ['t to a'],
  ],
  ['the longest idle', [agent('a', { assignedAtMs: 9 }), agent('b', { assignedAtMs: 5 })], [ticket('t')], ['t to b']],
  ['who never had one, first', [agent('a', { assignedAtMs: 9 }), agent('b')], [ticket('t')], ['t to b']],
  ['full', [agent('a', { load: 9.5 })], [ticket('t')], []],
  ['half of one fits', [agent('a', { load: 9.5 })], [ticket('t', { priority: 'low' })], ['t to a']],
  [
    'one after the other',
    [agent('a'), agent('b')],
    [ticket('t'), ticket('u'), ticket('v')],
    ['t to a', 'u to b', 'v to a'],
  ],
  [
    'urgent first, then the oldest',
    [agent('a', { capacity: 5 })],
    [
      ticket('t', { openedAtMs: 5 }),
      ticket('u', { openedAtMs: 2 }),
      ticket('v', { priority: 'urgent', openedAtMs: 9 }),
    ],
    ['v to a', 'u to a'],
  ],
  [
    'only their categories',
    [agent('a', { categories: ['billing'] }), agent('b', { load: 5 })],
    [ticket('t'), ticket('u', { category: 'billing' })],
    ['t to b', 'u to a'],
  ],
  [
    'an urgent one keeps the room that it waits for',
    [agent('a', { load: 7 })],
    [ticket('t', { priority: 'urgent' }), ticket('u')],
    [],
  ],
  ['not to whoever gave it back', [agent('a'), agent('b', { load: 5 })], [ticket('t', { notFor: ['a'] })], ['t to b']],
  [
    'one that nobody takes keeps nobody',
    [agent('a', { categories: ['billing'] })],
    [ticket('t', { priority: 'urgent', category: 'menu' }), ticket('u', { category: 'billing' })],
    ['u to a'],
  ],
])('%s', (_, agents, tickets, expected) => {
  expect(plan(agents, tickets)).toEqual(expected)
})

const someAgents = fc.uniqueArray(
  fc.record({
    id: fc.uuid(),
    isOnline: fc.boolean(),
    capacity: fc.integer({ min: 4, max: 30 }),
    load: fc.integer({ min: 0, max: 60 }).map((halves) => halves / 2),
    assignedAtMs: fc.option(fc.integer({ min: 1, max: 900 })),
    categories: fc.subarray(['billing', 'menu']),
  }),
  { selector: ({ id }) => id, maxLength: 6 },
)
const someTickets = fc.uniqueArray(
  fc.record({
    id: fc.uuid(),
    priority: fc.constantFrom(...priorities),
    category: fc.option(fc.constantFrom('billing', 'menu', 'other')),
    openedAtMs: fc.integer({ min: 0, max: 900 }),
    notFor: fc.constant([]),
  }),
  { selector: ({ id }) => id, maxLength: 30 },
)

test('nobody gets more than they can take, or while they are away, or what they do not take', () => {
  fc.assert(
    fc.property(someAgents, someTickets, (agents, tickets) => {
      const made = planAssignments(agents, tickets, 1_000)
      expect(new Set(made.map(({ ticketId }) => ticketId)).size).toBe(made.length)
      for (const one of agents) {
        const given = made.filter(({ agentId }) => agentId === one.id)
        const got = given.map(({ ticketId }) => tickets.find(({ id }) => id === ticketId)!)
        if (!one.isOnline) expect(got).toEqual([])
        if (one.categories.length) expect(got.every(({ category }) => one.categories.includes(category!))).toBe(true)
        const weight = got.reduce((sum, { priority }) => sum + weights[priority], 0)
        if (got.length) expect(one.load + weight).toBeLessThanOrEqual(one.capacity)
      }
    }),
    { numRuns: 500 },
  )
})

test('the order in which agents and tickets are listed says nothing', () => {
  fc.assert(
    fc.property(someAgents, someTickets, fc.infiniteStream(fc.nat()), (agents, tickets, numbers) => {
      const shuffle = <T>(items: T[]): T[] =>
        items
          .map((item) => [numbers.next().value as number, item] as const)
          .toSorted(([one], [other]) => one - other)
          .map(([, item]) => item)
      expect(planAssignments(shuffle(agents), shuffle(tickets), 1_000)).toEqual(planAssignments(agents, tickets, 1_000))
    }),
    { numRuns: 300 },
  )
})

test('the first of those that wait on, waits because nobody who could take it has room', () => {
  fc.assert(
    fc.property(someAgents, someTickets, (agents, tickets) => {
      const made = planAssignments(agents, tickets, 1_000)
      const given = new Set(made.map(({ ticketId }) => ticketId))
      const weightOf = (id: string): number => weights[tickets.find((one) => one.id === id)!.priority]
      const [first] = tickets
        .filter(({ id }) => !given.has(id))
        .sort((one, other) => weightOf(other.id) - weightOf(one.id) || one.openedAtMs - other.openedAtMs)
      if (!first) return
      for (const one of agents) {
        const isAble = one.isOnline && (!one.categories.length || one.categories.includes(first.category!))
        const got = made.filter(({ agentId }) => agentId === one.id)
        const load = got.reduce((sum, { ticketId }) => sum + weightOf(ticketId), one.load)
        if (isAble) expect(load + weightOf(first.id)).toBeGreaterThan(one.capacity)
      }
    }),
    { numRuns: 500 },
  )
})

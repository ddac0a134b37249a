/**
 * Orders of other programs. What is known is read, joined with what the events tell, and written: one writer at a time in
 * a workspace, so that the joining, which is pure, is all there is to it. The figures follow from the rows.
 */
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import type { Event } from '#platform/events/outbox.ts'
import { newId } from '#platform/ids.ts'
import type { Services } from '#platform/services.ts'
import { getWorkspace } from '#modules/accounts/index.ts'
import { recordEngagement } from '../engagement.ts'
import { recordInteractions, type NewInteraction } from '../interactions.ts'
import { refreshFigures, takeTurn } from './figures.ts'
import { fromUnits, toUnits } from './money.ts'
import { joinOrders, summarise, type OrderState, type Return } from './order-state.ts'
import { notUnderstood, OrderCompleted, OrderReturned, timeOf, toldBy, understand } from './shapes.ts'
import { isSomebody, nobodyKnown, resolveWho, whoOf, type Who } from './who.ts'

export async function completeOrders(tx: Tx, events: Event[], services: Services): Promise<void> {
  const { currency: own } = await getWorkspace(tx, tx.workspaceId)
  const told = events.map((event) => {
    const data = understand(OrderCompleted, event)
    const { key, amount, currency } = orderOf(event, data)
    const who = whoOf(data)
    if (!isSomebody(who)) throw notUnderstood(event, 'it names nobody: send an email, a user_id or a phone.')
    const state: OrderState = {
      key,
      contactId: null,
      amount,
      currency: (currency ?? own).toUpperCase(),
      completedAt: timeOf(event, data.completed_at, data.paid_at, data.created_at),
      returns: {},
      told: toldBy(event),
    }
    return { event, who, state }
  })
  await tellOrders(tx, services, told)
}

/** A return may come before its order does: it waits in its row. */
export async function returnOrders(tx: Tx, events: Event[], services: Services): Promise<void> {
  const told = events.map((event) => {
    const data = understand(OrderReturned, event)
    const amount = data.returned_amount ?? data.refund_amount ?? data.refunded_amount
    const one: Return = {
      amount: amount === undefined ? null : fromUnits(toUnits(amount)),
      at: timeOf(event, data.returned_at, data.refunded_at),
      told: toldBy(event),
    }
    const state: OrderState = {
      key: orderOf(event, data).key,
      contactId: null,
      amount: null,
      currency: null,
      completedAt: null,
      returns: { [String(data.return_id ?? '')]: one },
      told: '',
    }
    return { event, who: whoOf(data), state }
  })
  await tellOrders(tx, services, told)
}

interface Told {
  event: Event
  who: Who
  state: OrderState
}

async function tellOrders(tx: Tx, services: Services, told: Told[]): Promise<void> {
  await takeTurn(tx)
  const known = await readOrders(tx, [...new Set(told.map(({ state }) => state.key))])
  await nameBuyers(tx, told, known)
  const changed = new Map<string, OrderRow>()
  for (const { state } of told) {
    const before = changed.get(state.key) ?? known.get(state.key)
    changed.set(state.key, { id: before?.id ?? newId(), state: before ? joinOrders(before.state, state) : state })
  }
  const orders = [...changed.values()]
  await writeOrders(tx, orders)
  const contactIds = orders.map(({ state }) => state.contactId).filter((id) => id !== null)
  await refreshFigures(tx, contactIds)
  await recordEngagement(
    tx,
    services,
    orders.flatMap(({ state }) => purchaseOf(state)),
  )
  await recordInteractions(
    tx,
    orders.flatMap(({ state }) => returnsOf(state)),
  )
}

/** Whoever bought is asked for once for each order; a return of an order that is known needs nobody. */
async function nameBuyers(tx: Tx, told: Told[], known: Map<string, OrderRow>): Promise<void> {
  const open = told.filter(({ who, state }) => !known.get(state.key)?.state.contactId && isSomebody(who))
  const ids = await resolveWho(
    tx,
    open.map(({ who }) => who),
    { source: 'order', byPhone: true },
  )
  open.forEach(({ event, state }, index) => {
    state.contactId = ids[index] ?? null
    if (!state.contactId && state.completedAt) throw nobodyKnown(event)
  })
}

interface OrderRow {
  id: string
  state: OrderState
}

async function readOrders(tx: Tx, keys: string[]): Promise<Map<string, OrderRow>> {
  const rows = await tx.sql
    .selectFrom('contacts.orders')
    .selectAll()
    .where('workspace_id', '=', tx.workspaceId)
    .where('order_key', '=', sql<string>`any(${keys}::text[])`)
    .execute()
  return new Map(
    rows.map((row) => [
      row.order_key,
      {
        id: row.id,
        state: {
          key: row.order_key,
          contactId: row.contact_id,
          amount: row.amount,
          currency: row.currency,
          completedAt: row.completed_at?.toISOString() ?? null,
          returns: row.returns,
          told: row.told,
        },
      },
    ]),
  )
}

async function writeOrders(tx: Tx, orders: OrderRow[]): Promise<void> {
  const rows = orders.map(({ id, state }) => {
    const { status, returnedAt, returnedAmount, happenedAt } = summarise(state)
    return {
      id,
      order_key: state.key,
      contact_id: state.contactId,
      status,
      amount: state.amount,
      currency: state.currency,
      completed_at: state.completedAt,
      returned_at: returnedAt,
      returned_amount: returnedAmount,
      returns: state.returns,
      told: state.told,
      happened_at: happenedAt,
    }
  })
  await sql`
    insert into contacts.orders as o (workspace_id, id, order_key, contact_id, status, amount, currency, completed_at,
      returned_at, returned_amount, returns, told, happened_at)
    select ${tx.workspaceId}::uuid, id, order_key, contact_id, status, amount, currency, completed_at,
      returned_at, returned_amount, returns, told, happened_at
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as r(id uuid, order_key text, contact_id uuid, status text,
      amount numeric, currency text, completed_at timestamptz, returned_at timestamptz, returned_amount numeric,
      returns jsonb, told text, happened_at timestamptz)
    on conflict (workspace_id, order_key) do update set contact_id = excluded.contact_id, status = excluded.status,
      amount = excluded.amount, currency = excluded.currency, completed_at = excluded.completed_at,
      returned_at = excluded.returned_at, returned_amount = excluded.returned_amount, returns = excluded.returns,
      told = excluded.told, happened_at = excluded.happened_at`.execute(tx.sql)
}

function orderOf(event: Event, data: OrderPart & { order?: OrderPart }) {
  const part = { ...data.order, ...data }
  const key = part.order_id ?? data.order?.order_id ?? part.order_number ?? part.id ?? data.order?.id
  if (key === undefined) throw notUnderstood(event, 'it names no order: send an order_id.')
  const amount = part.total ?? part.amount ?? part.total_amount ?? part.total_price ?? part.grand_total
  return {
    key: String(key),
    amount: amount === undefined ? null : fromUnits(toUnits(amount)),
    currency: part.currency,
  }
}

interface OrderPart {
  order_id?: string | number
  order_number?: string | number
  id?: string | number
  currency?: string
  total?: string | number
  amount?: string | number
  total_amount?: string | number
  total_price?: string | number
  grand_total?: string | number
}

function purchaseOf({ key, contactId, completedAt, amount, currency }: OrderState) {
  if (!contactId || !completedAt) return []
  return [
    {
      contactId,
      type: 'purchase' as const,
      occurredAt: new Date(completedAt),
      description: `Order ${key}${moneyText(amount, currency)}`,
      metadata: { order_id: key, amount: shortMoney(amount), currency },
      sourceKey: `order:${key}:completed`,
    },
  ]
}

/** Those of an order whose buyer is known; of a return that waits, once the buyer is. */
function returnsOf({ key, contactId, currency, returns }: OrderState): NewInteraction[] {
  if (!contactId) return []
  return Object.entries(returns).map(([returnKey, { amount, at }]) => ({
    contactId,
    type: 'order_returned',
    description: `Returned order ${key}${moneyText(amount, currency)}`,
    metadata: { order_id: key, ...(returnKey ? { return_id: returnKey } : {}), amount: shortMoney(amount), currency },
    occurredAt: at,
    sourceKey: `order:${key}:returned:${returnKey}`,
  }))
}

function moneyText(amount: string | null, currency: string | null): string {
  return amount === null ? '' : `, ${shortMoney(amount)} ${currency ?? ''}`.trimEnd()
}

/** `49.90` of 49.9000; what has more than two places keeps them. */
function shortMoney(amount: string | null): string | null {
  return amount === null ? null : fromUnits(toUnits(amount)).replace(/(\.\d\d)0{1,2}$/, '$1')
}

/**
 * What is known of an order, and how more becomes known: pure. Joining is the same in whatever order, and however often,
 * the parts come; a test tries.
 */
import { fromUnits, toUnits } from './money.ts'

export type OrderStatus = 'completed' | 'partly_returned' | 'returned'

export interface Return {
  /** Exact decimal; null: all that was left. */
  amount: string | null
  at: string
  told: string
}

export interface OrderState {
  key: string
  contactId: string | null
  amount: string | null
  currency: string | null
  completedAt: string | null
  returns: Record<string, Return>
  /** Of the event that the amount is from. */
  told: string
}

/** Completed twice, it was completed once: at the first time, with the amount that was told last. */
export function joinOrders(one: OrderState, other: OrderState): OrderState {
  const last = one.told >= other.told ? one : other
  const returns = { ...one.returns }
  for (const [key, told] of Object.entries(other.returns)) {
    const known = returns[key]
    if (!known || known.told < told.told) returns[key] = told
  }
  return {
    key: one.key,
    contactId: one.contactId ?? other.contactId,
    amount: last.amount,
    currency: last.currency,
    completedAt: earlier(one.completedAt, other.completedAt),
    returns,
    told: last.told,
  }
}

export interface OrderSummary {
  status: OrderStatus
  returnedAt: string | null
  /** Never more than the order's amount. */
  returnedAmount: string
  happenedAt: string
}

export function summarise({ amount, completedAt, returns }: OrderState): OrderSummary {
  const all = Object.values(returns)
  const paid = amount === null ? null : toUnits(amount)
  const whole = all.some((one) => one.amount === null)
  const sum = all.reduce((total, one) => total + (one.amount === null ? 0n : toUnits(one.amount)), 0n)
  const returned = paid === null ? sum : whole || sum > paid ? paid : sum
  const isWhole = !completedAt || paid === null ? whole || !completedAt : returned >= paid
  const returnedAt =
    all
      .map((one) => one.at)
      .toSorted()
      .at(-1) ?? null
  return {
    status: !all.length ? 'completed' : isWhole ? 'returned' : 'partly_returned',
    returnedAt,
    returnedAmount: fromUnits(returned),
    happenedAt: completedAt ?? returnedAt ?? new Date(0).toISOString(),
  }
}

export function earlier(one: string | null, other: string | null): string | null {
  if (one === null || other === null) return one ?? other
  return one <= other ? one : other
}

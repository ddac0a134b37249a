/** What this module does when others tell of something: accounts that are made, orders and products with a fault. */
import { sql } from 'kysely'
import { Type, type Static, type TObject } from 'typebox'
import { systemActor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { Invalid, NotUnderstood } from '#platform/errors.ts'
import type { Event } from '#platform/events/outbox.ts'
import { createValidators, isEmail } from '#platform/http/validation.ts'
import { isId } from '#platform/ids.ts'
import { when, type Reaction } from '#platform/module.ts'
import type { Services } from '#platform/services.ts'
import { accountOf } from '#modules/accounts/index.ts'
import { resolveContacts } from '#modules/contacts/index.ts'
import { openTicket } from './opening.ts'
import { priorities } from './tables.ts'

const open = <T extends Record<string, Parameters<typeof Type.Optional>[0]>>(properties: T) =>
  Type.Object(properties, { additionalProperties: true })
const Key = Type.Optional(Type.Unsafe<string | number>({ type: ['string', 'integer'], maxLength: 200 }))
const Words = (maxLength: number) => Type.Optional(Type.String({ maxLength }))
const Address = Type.Optional(Type.String({ format: 'email', maxLength: 254 }))

const Registered = open({
  id: Key,
  user_id: Key,
  email: Address,
  email_verified: Type.Optional(Type.Boolean()),
})

const Person = Type.Optional(open({ id: Key, user_id: Key, email: Address, name: Words(201), full_name: Words(201) }))
const Issue = open({
  order_id: Key,
  order_number: Key,
  product_id: Key,
  product_name: Words(300),
  subject: Words(300),
  title: Words(300),
  description: Words(50_000),
  message: Words(50_000),
  reason: Words(50_000),
  priority: Type.Optional(Type.Unsafe<(typeof priorities)[number]>({ type: 'string', enum: [...priorities] })),
  contact_id: Type.Optional(Type.String({ maxLength: 100 })),
  user_id: Key,
  email: Address,
  customer_email: Address,
  user_email: Address,
  name: Words(201),
  customer_name: Words(201),
  customer: Person,
  user: Person,
})

/**
 * Tickets that somebody opened without an account become those of the account with the same address. An address that the
 * sender says is not confirmed proves nothing: whoever registers with another's would read what is not theirs.
 */
async function linkTickets(tx: Tx, events: Event[]): Promise<void> {
  for (const event of events) {
    const data = understand(Registered, event)
    const userId = String(data.user_id ?? data.id ?? '')
    if (!isId(userId) || !data.email || data.email_verified === false) continue
    await sql`
      update support.tickets set user_id = ${userId}::uuid
      where workspace_id = ${tx.workspaceId}::uuid and lower(contact_email) = lower(${data.email}) and user_id is null`.execute(
      tx.sql,
    )
  }
}

const openFrom =
  (kind: 'order' | 'product') =>
  async (tx: Tx, events: Event[], services: Services): Promise<void> => {
    for (const event of events) {
      const data = understand(Issue, event)
      const key = kind === 'order' ? (data.order_number ?? data.order_id) : (data.product_name ?? data.product_id)
      const description = data.description ?? data.message ?? data.reason
      const title = kind === 'order' ? 'Order' : 'Product'
      await openTicket(
        tx,
        systemActor(tx.workspaceId),
        {
          ...(await whoseOf(tx, event, data)),
          subject: data.subject ?? data.title ?? (key === undefined ? `${title} with a problem` : `${title} ${key}`),
          description: description?.trim() ? description : (data.subject ?? data.title ?? ''),
          category: kind,
          ...(data.priority ? { priority: data.priority } : {}),
          metadata: Object.fromEntries(
            (['order_id', 'order_number', 'product_id', 'product_name'] as const).flatMap((name) =>
              data[name] === undefined ? [] : [[name, data[name]]],
            ),
          ),
        },
        services,
      )
    }
  }

async function whoseOf(tx: Tx, event: Event, data: Static<typeof Issue>) {
  const email = data.customer_email ?? data.email ?? data.user_email ?? data.customer?.email ?? data.user?.email
  const name = data.customer_name ?? data.name ?? data.customer?.full_name ?? data.customer?.name ?? data.user?.name
  const named = name ? { contact_name: name } : {}
  if (data.contact_id && isId(data.contact_id)) return { ...named, contact_id: data.contact_id }
  if (email && isEmail(email)) return { ...named, contact_email: email }
  const userId = data.user_id ?? data.customer?.user_id ?? data.user?.user_id ?? data.user?.id
  if (userId !== undefined) return { ...named, contact_id: await contactOfUser(tx, event, String(userId)) }
  const detail = `${event.event}: it names nobody: send an email, a contact_id or a user_id.`
  throw new NotUnderstood('not_understood', detail)
}

/**
 * The contact that has this account, or whom the account's address finds or makes. Where nobody is known yet, the event is
 * tried again for a while: the one that tells who it is may be on its way.
 */
async function contactOfUser(tx: Tx, event: Event, userId: string): Promise<string> {
  const account = isId(userId) ? await accountOf(tx, userId) : null
  const person = {
    user_id: userId,
    source: 'ticket',
    ...(account ? { email: account.email, full_name: account.name } : {}),
  }
  const actor = systemActor(tx.workspaceId)
  const [known] = await resolveContacts(tx, actor, [{ user_id: userId, source: 'ticket' }], { create: false })
  const [contact] = known ? [known] : await resolveContacts(tx, actor, [person])
  if (contact) return contact.contactId
  throw new Invalid(
    'nobody_known',
    `${event.event}: nobody here has the user_id ${userId.slice(0, 100)}, and it names no email. ` +
      'Send the event again once the person is here, or with an email or a contact_id.',
  )
}

const compile = createValidators()
const validators = new Map<TObject, ReturnType<typeof compile>>()

/** What does not fit is set aside with the reason; null is the same as not being there. */
function understand<T extends TObject>(shape: T, event: Event): Static<T> {
  const data = Object.fromEntries(Object.entries(event.data).filter(([, value]) => value !== null && value !== ''))
  const validate = validators.get(shape) ?? compile(shape, 'body')
  validators.set(shape, validate)
  if (validate(data)) return data as Static<T>
  const faults = (validate.errors ?? []).map(({ instancePath, message }) => `data${instancePath} ${message}`)
  throw new NotUnderstood('not_understood', `${event.event}: ${faults.slice(0, 5).join('; ')}.`)
}

/** Of other programs; RabbitMQ is asked for these. */
export const heard = ['user.registered', 'order.issue', 'product.issue_reported']

export const supportReactions: Reaction[] = [
  when('user.registered', 'support.link_tickets', linkTickets),
  when('order.issue', 'support.open_from_order', openFrom('order')),
  when('product.issue_reported', 'support.open_from_product', openFrom('product')),
]

/** The doors of the mailboxes. */
import { Type } from 'typebox'
import { created, record, route } from '#platform/http/route.ts'
import { Closed, Id, Message, OneOf, Page, pageQuery, Problem, Timestamp } from '#platform/http/shapes.ts'
import type { MailboxRow } from './mail-tables.ts'
import { addMailbox, changeMailbox, getMailbox, listMailboxes, removeMailbox } from './mailboxes.ts'

const params = Closed({ id: Id })
const Address = Type.String({ minLength: 3, maxLength: 254, description: 'Without a plus sign: aide@moulin.example' })
const Name = Type.String({
  minLength: 1,
  maxLength: 120,
  pattern: '^[^\\r\\n]*\\S[^\\r\\n]*$',
  description: 'Shown as the sender of answers',
})
const Signature = Type.String({ maxLength: 5_000, description: 'Plain text below each answer' })
const AutoAcknowledge = Type.Boolean({
  description: 'Tells people once that their mail has become a ticket. Machines are never answered.',
})
const Purpose = OneOf(['tickets', 'bounces'])

const MailboxView = Type.Object(
  {
    id: Id,
    address: Type.String(),
    purpose: Purpose,
    name: Type.String(),
    signature: Type.String(),
    auto_acknowledge: Type.Boolean(),
    version: Type.Integer(),
    created_at: Timestamp,
    updated_at: Timestamp,
  },
  { $id: 'Mailbox' },
)

function view({
  id,
  address,
  purpose,
  name,
  signature,
  auto_acknowledge,
  version,
  created_at,
  updated_at,
}: MailboxRow) {
  return { id, address, purpose, name, signature, auto_acknowledge, version, created_at, updated_at }
}

const listRoute = route({
  method: 'GET',
  path: '/tickets/mailboxes',
  may: 'mailbox.manage',
  summary: 'Addresses whose mail becomes tickets',
  query: Closed({ ...pageQuery, search: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })) }),
  replies: { 200: Page(MailboxView) },
  run: ({ tx, query }) => listMailboxes(tx, query, view),
})

const addRoute = route({
  method: 'POST',
  path: '/tickets/mailboxes',
  may: 'mailbox.manage',
  summary: 'Take mail for an address',
  description:
    'Mail reaches Rapport by MAIL_IN_PORT or IMAP_URL. With the purpose `bounces`, campaigns name the address as the place ' +
    'that undeliverable mails come back to.',
  body: Closed({
    address: Address,
    name: Name,
    signature: Type.Optional(Signature),
    auto_acknowledge: Type.Optional(AutoAcknowledge),
    purpose: Type.Optional(Purpose),
  }),
  replies: { 201: MailboxView, 409: Problem },
  run: async ({ tx, body }) => {
    const mailbox = await addMailbox(tx, body)
    return created(view(mailbox), `/tickets/mailboxes/${mailbox.id}`, mailbox.version)
  },
})

const showRoute = route({
  method: 'GET',
  path: '/tickets/mailboxes/:id',
  may: 'mailbox.manage',
  summary: 'One mailbox',
  params,
  replies: { 200: MailboxView, 404: Problem },
  run: async ({ tx, params: { id } }) => {
    const mailbox = await getMailbox(tx, id)
    return record(view(mailbox), mailbox.version)
  },
})

const changeRoute = route({
  method: 'PATCH',
  path: '/tickets/mailboxes/:id',
  may: 'mailbox.manage',
  summary: 'Change a mailbox',
  params,
  body: Closed({
    address: Type.Optional(Address),
    name: Type.Optional(Name),
    signature: Type.Optional(Signature),
    auto_acknowledge: Type.Optional(AutoAcknowledge),
  }),
  replies: { 200: MailboxView, 404: Problem, 409: Problem, 412: Problem },
  run: async ({ tx, params: { id }, body, ifVersion }) => {
    const mailbox = await changeMailbox(tx, id, body, ifVersion)
    return record(view(mailbox), mailbox.version)
  },
})

const removeRoute = route({
  method: 'DELETE',
  path: '/tickets/mailboxes/:id',
  may: 'mailbox.manage',
  summary: 'Take no more mail for an address',
  params,
  replies: { 200: Message, 404: Problem, 412: Problem },
  run: async ({ tx, params: { id }, ifVersion }) => {
    await removeMailbox(tx, id, ifVersion)
    return { message: 'Mail for this address is no longer taken in.' }
  },
})

export const mailboxRoutes = [listRoute, addRoute, showRoute, changeRoute, removeRoute]

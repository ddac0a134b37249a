/** The doors of attachments. */
import { Type } from 'typebox'
import type { FastifyRequest } from 'fastify'
import { Invalid, UnsupportedMedia } from '#platform/errors.ts'
import { isId } from '#platform/ids.ts'
import { created, Reply, route, streamRoute } from '#platform/http/route.ts'
import { Closed, Id, Message, Problem, Timestamp } from '#platform/http/shapes.ts'
import type { Runtime } from '#platform/services.ts'
import { discardFiles, storeAttachment, type StoredAttachment } from './attachment-files.ts'
import {
  addAttachments,
  deleteAttachment,
  getAttachment,
  linkAttachment,
  linkMs,
  listAttachments,
  requirePlace,
} from './attachments.ts'
import { readThrough } from './cached-reads.ts'
import { getMessage } from './messages.ts'
import { AttachmentView, viewAttachment } from './attachment-view.ts'
import { getTicket } from './tickets.ts'

/** In one request. */
const filesMax = 10

const inTicket = Closed({ ticket_id: Id })
const params = Closed({ ticket_id: Id, id: Id })
const Attachments = Type.Object({ data: Type.Array(AttachmentView) })

const listRoute = route({
  method: 'GET',
  path: '/tickets/:ticket_id/attachments',
  may: 'ticket.read',
  summary: 'The files of a ticket and of its messages, oldest first',
  description: 'Those of internal notes are seen by the help desk alone.',
  params: inTicket,
  replies: { 200: Attachments, 404: Problem },
  run: ({ tx, actor, params: { ticket_id }, services }) =>
    readThrough(tx, services, actor, 'ticket_attachments', ['all', ticket_id.toLowerCase()], async () => {
      await getTicket(tx, actor, ticket_id)
      return { data: (await listAttachments(tx, actor, ticket_id)).map((each) => viewAttachment(actor, each)) }
    }),
})

const byMessageRoute = route({
  method: 'GET',
  path: '/tickets/:ticket_id/attachments/message/:message_id',
  may: 'ticket.read',
  summary: 'The files of one message',
  params: Closed({ ticket_id: Id, message_id: Id }),
  replies: { 200: Attachments, 404: Problem },
  run: ({ tx, actor, params: { ticket_id, message_id }, services }) => {
    const asked = [ticket_id.toLowerCase(), 'of', message_id.toLowerCase()]
    return readThrough(tx, services, actor, 'ticket_attachments', asked, async () => {
      await getMessage(tx, actor, ticket_id, message_id)
      const attachments = await listAttachments(tx, actor, ticket_id, message_id)
      return { data: attachments.map((each) => viewAttachment(actor, each)) }
    })
  },
})

const upload = {
  method: 'POST',
  may: 'ticket.write',
  multipart: true,
  rate: '60/minute',
  params: inTicket,
} as const
const kinds =
  'Pictures, PDF, office documents without macros, texts and logs, each of at most MAX_ATTACHMENT_SIZE_MB; a file must be what its ' +
  'name says. `message_id`, a field before the file, adds it to a message.'

const uploadRoute = streamRoute({
  ...upload,
  path: '/tickets/:ticket_id/attachments',
  summary: 'Attach a file',
  description: `multipart/form-data with one file. ${kinds}`,
  replies: { 201: AttachmentView, 404: Problem, 409: Problem, 413: Problem, 415: Problem },
  stream: async ({ actor, params: { ticket_id: ticketId }, inTx, runtime, request }) => {
    const received = await receive(request, runtime, 1, { workspaceId: actor.workspaceId, ticketId }, (messageId) =>
      inTx((tx) => requirePlace(tx, actor, { ticketId, messageId })),
    )
    const [attachment] = await keep(runtime, actor.workspaceId, received.files, () =>
      inTx((tx) => addAttachments(tx, actor, { ticketId, messageId: received.messageId }, received.files)),
    )
    return created(viewAttachment(actor, attachment!), `/tickets/${ticketId}/attachments/${attachment!.id}`)
  },
})

const uploadManyRoute = streamRoute({
  ...upload,
  path: '/tickets/:ticket_id/attachments/multiple',
  summary: 'Attach several files: all of them, or none',
  description: `multipart/form-data with up to ${filesMax} files. ${kinds}`,
  replies: { 201: Attachments, 404: Problem, 409: Problem, 413: Problem, 415: Problem },
  stream: async ({ actor, params: { ticket_id: ticketId }, inTx, runtime, request }) => {
    const place = { workspaceId: actor.workspaceId, ticketId }
    const received = await receive(request, runtime, filesMax, place, (messageId) =>
      inTx((tx) => requirePlace(tx, actor, { ticketId, messageId })),
    )
    const attachments = await keep(runtime, actor.workspaceId, received.files, () =>
      inTx((tx) => addAttachments(tx, actor, { ticketId, messageId: received.messageId }, received.files)),
    )
    return created({ data: attachments.map((each) => viewAttachment(actor, each)) }, `/tickets/${ticketId}/attachments`)
  },
})

const showRoute = route({
  method: 'GET',
  path: '/tickets/:ticket_id/attachments/:id',
  may: 'ticket.read',
  summary: 'What is known of a file',
  params,
  replies: { 200: AttachmentView, 404: Problem },
  run: ({ tx, actor, params: { ticket_id, id }, services }) =>
    readThrough(tx, services, actor, 'ticket_attachments', [ticket_id.toLowerCase(), id.toLowerCase()], async () =>
      viewAttachment(actor, await getAttachment(tx, actor, ticket_id, id)),
    ),
})

const downloadRoute = route({
  method: 'GET',
  path: '/tickets/:ticket_id/attachments/:id/download',
  may: 'ticket.read',
  summary: 'Download a file: leads to a link that works for five minutes',
  description:
    'The link is in Location and in the body. The file is saved and never shown. 503 while it waits to be scanned.',
  params,
  replies: {
    302: Type.Object({ url: Type.String(), expires_at: Timestamp }),
    404: Problem,
    410: Problem,
    503: Problem,
  },
  run: async ({ tx, actor, params: { ticket_id, id }, services }) => {
    const url = await linkAttachment(services, await getAttachment(tx, actor, ticket_id, id))
    const body = { url, expires_at: new Date(Date.now() + linkMs) }
    return new Reply<never>(302, body as never, { location: url, 'referrer-policy': 'no-referrer' })
  },
})

const deleteRoute = route({
  method: 'DELETE',
  path: '/tickets/:ticket_id/attachments/:id',
  may: 'ticket.write',
  summary: 'Delete a file that one attached; admins may delete any',
  params,
  replies: { 200: Message, 404: Problem, 409: Problem },
  run: async ({ tx, actor, params: { ticket_id, id } }) => {
    await deleteAttachment(tx, actor, ticket_id, id)
    return { message: 'The attachment was deleted.' }
  },
})

export const attachmentRoutes = [
  listRoute,
  byMessageRoute,
  uploadRoute,
  uploadManyRoute,
  showRoute,
  downloadRoute,
  deleteRoute,
]

interface Received {
  messageId: string | null
  files: StoredAttachment[]
}

/** Where one file is refused, none stays. `admit` is asked before the first byte is stored, and the body is not read before it. */
async function receive(
  request: FastifyRequest,
  runtime: Runtime,
  max: number,
  place: { workspaceId: string; ticketId: string },
  admit: (messageId: string | null) => Promise<unknown>,
): Promise<Received> {
  await admit(null)
  if (!request.isMultipart()) {
    throw new UnsupportedMedia('unsupported_media_type', 'Send files as multipart/form-data.')
  }
  const received: Received = { messageId: null, files: [] }
  const limits = { fileSize: runtime.config.tickets.attachmentSizeBytesMax + 1, files: max + 1, fields: 10 }
  try {
    for await (const part of request.parts({ limits })) {
      if (part.type === 'field') readField(received, part.fieldname, String(part.value))
      else if (received.files.length === max) {
        throw Invalid.at('/file', 'too_many', max === 1 ? 'Send one file here.' : `Send at most ${max} files at once.`)
      } else {
        const file = { name: part.filename ?? '', content: part.file }
        received.files.push(await storeAttachment(runtime, place, file))
      }
    }
    if (!received.files.length) throw Invalid.at('/file', 'required', 'Send a file in the field `file`.')
    if (received.messageId) await admit(received.messageId)
    return received
  } catch (error) {
    await discardFiles(runtime, place.workspaceId, keysOf(received.files))
    throw error
  }
}

function readField(received: Received, name: string, value: string): void {
  if (name !== 'message_id')
    throw Invalid.at(`/${name}`, 'unknown_field', 'Send files, and message_id where they belong to one.')
  if (!isId(value)) throw Invalid.at('/message_id', 'format', 'This is not the id of a message.')
  received.messageId = value.toLowerCase()
}

async function keep<T>(
  runtime: Runtime,
  workspaceId: string,
  files: StoredAttachment[],
  write: () => Promise<T>,
): Promise<T> {
  try {
    return await write()
  } catch (error) {
    await discardFiles(runtime, workspaceId, keysOf(files))
    throw error
  }
}

const keysOf = (files: StoredAttachment[]): string[] => files.map(({ fileKey }) => fileKey)

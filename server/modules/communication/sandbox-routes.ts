/** The doors of the sandbox inbox. */
import { Type } from 'typebox'
import { Reply, route } from '#platform/http/route.ts'
import {
  Id,
  Message,
  NullableId,
  NullableText,
  Page,
  Problem,
  Text,
  Timestamp,
  pageQuery,
} from '#platform/http/shapes.ts'
import { clearMessages, listMessages, loadMessage, readMessage } from './sandbox.ts'

const row = {
  id: Id,
  from: Type.String(),
  to: Type.String(),
  subject: Type.String(),
  campaign_id: NullableId,
  size_bytes: Type.Integer(),
  received_at: Timestamp,
}
const params = Type.Object({ id: Id })

const listMessagesRoute = route({
  method: 'GET',
  path: '/communication/sandbox/messages',
  may: 'sandbox.read',
  summary: 'List the mails that the sandbox kept, newest first',
  description: 'Mails about accounts are listed for the owner and for the person whom they were written to.',
  query: Type.Object({ ...pageQuery, search: Type.Optional(Text(200)) }),
  replies: { 200: Page(Type.Object(row)) },
  run: ({ tx, actor, query, services }) => listMessages(tx, actor, services, query),
})

const readMessageRoute = route({
  method: 'GET',
  path: '/communication/sandbox/messages/:id',
  may: 'sandbox.read',
  summary: 'Read a kept mail',
  description:
    'The HTML has no scripts, forms or frames. `remote_images` counts the pictures that would be loaded from elsewhere.',
  params,
  replies: {
    200: Type.Object({
      ...row,
      headers: Type.Array(Type.Object({ name: Type.String(), value: Type.String() })),
      html: NullableText,
      text: NullableText,
      remote_images: Type.Integer(),
      raw_url: Type.String(),
    }),
    404: Problem,
  },
  run: ({ tx, actor, params: { id }, services }) => readMessage(tx, actor, services, id),
})

const rawMessageRoute = route({
  method: 'GET',
  path: '/communication/sandbox/messages/:id/raw',
  may: 'sandbox.read',
  summary: 'Download a kept mail as it would have been sent',
  params,
  replies: { 200: Type.Unsafe<Buffer>({ contentMediaType: 'message/rfc822' }), 404: Problem },
  run: async ({ tx, actor, params: { id }, services }) => {
    const { raw } = await loadMessage(tx, actor, services, id)
    return new Reply(200, raw, {
      'content-type': 'message/rfc822',
      'content-disposition': `attachment; filename="${id}.eml"`,
      'content-security-policy': "default-src 'none'; sandbox",
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    })
  },
})

const clearMessagesRoute = route({
  method: 'DELETE',
  path: '/communication/sandbox/messages',
  may: 'sandbox.clear',
  summary: 'Empty the inbox, for good',
  replies: { 200: Message },
  run: async ({ tx, actor, services }) => {
    const count = await clearMessages(tx, actor, services)
    return { message: count === 1 ? '1 mail is deleted.' : `${count} mails are deleted.` }
  },
})

export const sandboxRoutes = [listMessagesRoute, readMessageRoute, rawMessageRoute, clearMessagesRoute]

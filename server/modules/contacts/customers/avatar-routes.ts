/** The doors of pictures: the same under the contact's and the customer's address. */
import { Readable } from 'node:stream'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { Invalid, NotFound, TooLarge, UnsupportedMedia } from '#platform/errors.ts'
import { created, Reply, record, route, streamRoute } from '#platform/http/route.ts'
import { Closed, Problem } from '#platform/http/shapes.ts'
import type { Tx } from '#platform/db/db.ts'
import type { ContactRow } from '../contact-view.ts'
import { ContactView, viewContact } from '../contact-view.ts'
import { getContact, updateContact } from '../contacts.ts'
import { discardFiles } from '../stored-files.ts'
import { findAvatar, keyOf, setAvatar, storePicture } from './avatars.ts'
import { CustomerPath } from './customer-fields.ts'
import { CustomerView, viewCustomer } from './customer-view.ts'
import { makePicture, pictureBytesMax, type PictureSize } from './picture.ts'

const seen = {
  contacts: { view: ContactView, show: async (_tx: Tx, row: ContactRow) => viewContact(row) },
  customers: { view: CustomerView, show: viewCustomer },
}

const uploadRoutes = (['contacts', 'customers'] as const).map((name) =>
  streamRoute({
    method: 'POST',
    path: `/${name}/:id/avatar`,
    may: 'contact.write',
    multipart: true,
    rate: '30/minute',
    summary: 'Set the picture',
    description:
      'multipart/form-data with one file: JPEG, PNG, WebP, GIF or AVIF, at most 5 MB and 40 megapixels. It is cut to a ' +
      'square, kept as WebP in 512 and 128 pixels, and everything else in the file is dropped.',
    params: CustomerPath,
    replies: { 201: seen[name].view, 404: Problem, 413: Problem, 415: Problem },
    stream: async ({ actor, params: { id }, inTx, runtime, request, ifVersion }) => {
      await inTx((tx) => getContact(tx, id))
      const picture = await makePicture(await readFile(request))
      const stored = await storePicture(runtime, actor.workspaceId, id, picture)
      try {
        const { body, version } = await inTx(async (tx) => {
          const contact = await setAvatar(tx, actor, id, stored, { services: runtime, ifVersion })
          return { body: await seen[name].show(tx, contact), version: contact.version }
        })
        return created(body, `/contacts/${id}/avatar`, version)
      } catch (error) {
        await discardFiles(runtime, actor.workspaceId, stored.keys)
        throw error
      }
    },
  }),
)

const removeRoutes = (['contacts', 'customers'] as const).map((name) =>
  route({
    method: 'DELETE',
    path: `/${name}/:id/avatar`,
    may: 'contact.write',
    summary: 'Take the picture away, for good',
    params: CustomerPath,
    replies: { 200: seen[name].view, 404: Problem, 412: Problem },
    run: async ({ tx, actor, params: { id }, services, ifVersion }) => {
      const contact = await updateContact(tx, actor, id, { avatar_url: null }, { services, ifVersion })
      return record(await seen[name].show(tx, contact), contact.version)
    },
  }),
)

const showRoute = streamRoute({
  method: 'GET',
  path: '/contacts/:id/avatar',
  may: 'contact.read',
  summary: 'The picture, as `avatar_url` points to it',
  params: CustomerPath,
  query: Closed({
    v: Type.Optional(
      Type.String({ maxLength: 64, description: 'Begins the hash of the picture; with it, cached for ever' }),
    ),
    size: Type.Optional(Type.Unsafe<PictureSize>({ type: 'integer', enum: [512, 128] })),
  }),
  replies: { 200: Type.Unsafe<Readable>({ contentMediaType: 'image/webp' }), 404: Problem },
  stream: async ({ params: { id }, query, inTx, runtime }) => {
    const avatar = await inTx((tx) => findAvatar(tx, id))
    const size = query.size ?? 512
    const content = avatar && (await runtime.files.get(keyOf(avatar.workspace_id, id, avatar.file_id, size)))
    if (!content) throw new NotFound('picture')
    const isThisOne = query.v !== undefined && query.v.length >= 16 && avatar.sha256.startsWith(query.v)
    return new Reply(200, content, {
      'content-type': 'image/webp',
      'content-disposition': 'inline; filename="avatar.webp"',
      'cache-control': isThisOne ? 'private, max-age=31536000, immutable' : 'private, no-cache',
      'content-security-policy': "default-src 'none'; sandbox",
      'cross-origin-resource-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
      etag: `"${avatar.sha256.slice(0, 32)}-${size}"`,
    })
  },
})

export const avatarRoutes = [...uploadRoutes, ...removeRoutes, showRoute]

/** The first file of the form, whatever its field and name; what it is, its content says. */
async function readFile(request: FastifyRequest): Promise<Buffer> {
  if (!request.isMultipart()) {
    throw new UnsupportedMedia('unsupported_media_type', 'Send the picture as multipart/form-data, in a field `file`.')
  }
  const limits = { fileSize: pictureBytesMax, files: 1, fields: 10, fieldSize: 10_000 }
  let content: Buffer | null = null
  for await (const part of request.parts({ limits })) {
    if (part.type !== 'file') continue
    content = await part.toBuffer().catch((error: { code?: string }) => {
      if (error.code !== 'FST_REQ_FILE_TOO_LARGE') throw error
      throw new TooLarge('file_too_large', `A picture has at most ${pictureBytesMax / 1_000_000} MB.`)
    })
  }
  if (!content?.length) throw Invalid.at('/file', 'required', 'Send a picture in the field `file`.')
  return content
}

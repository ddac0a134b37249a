/** The doors of templates. */
import { Type, type Static } from 'typebox'
import { getWorkspace } from '#modules/accounts/index.ts'
import { getContact, viewContact } from '#modules/contacts/index.ts'
import { authorize } from '#platform/actor.ts'
import { created, record, route } from '#platform/http/route.ts'
import {
  Closed,
  Id,
  JsonObject,
  Message,
  NullableText,
  OneOf,
  Page,
  Problem,
  Text,
  TextOrNull,
  Timestamp,
  pageQuery,
} from '#platform/http/shapes.ts'
import type { MessageTemplate } from './message-tables.ts'
import { exampleContact, previewMail } from './render/preview.ts'
import { sourceBytesMax } from './render/expressions.ts'
import {
  createTemplate,
  deleteTemplate,
  duplicateTemplate,
  getTemplate,
  listTemplates,
  restoreTemplate,
  updateTemplate,
} from './templates.ts'

const fields = {
  subject: Type.Optional(Text(1_000, { description: 'Handlebars' })),
  body_html: Type.Optional(Text(sourceBytesMax, { description: 'Handlebars, at most 512 KB' })),
  body_text: Type.Optional(TextOrNull(sourceBytesMax, 'Handlebars; null makes it from the HTML')),
}
const name = Type.String({ minLength: 1, maxLength: 200, pattern: '\\S' })

const TemplateView = Type.Object(
  {
    id: Id,
    name: Type.String(),
    subject: Type.String(),
    body_html: Type.String(),
    body_text: NullableText,
    created_at: Timestamp,
    updated_at: Timestamp,
  },
  { $id: 'Template' },
)

function viewTemplate(row: MessageTemplate): Static<typeof TemplateView> {
  const { id, subject, body_html, body_text, created_at, updated_at } = row
  return { id, name: row.name, subject, body_html, body_text, created_at, updated_at }
}

const params = Type.Object({ id: Id })
const one = { 200: TemplateView, 404: Problem, 409: Problem, 412: Problem }

const listTemplatesRoute = route({
  method: 'GET',
  path: '/communication/templates',
  may: 'communication.read',
  summary: 'List templates',
  query: Type.Object({
    ...pageQuery,
    search: Type.Optional(Text(200)),
    sort: Type.Optional(Text(40, { description: 'name, created_at or updated_at; a leading - turns it round' })),
    deleted: Type.Optional(Type.Boolean({ description: 'Those in the bin instead' })),
  }),
  replies: { 200: Page(TemplateView) },
  run: ({ tx, query }) => listTemplates(tx, query, viewTemplate),
})

const createTemplateRoute = route({
  method: 'POST',
  path: '/communication/templates',
  may: 'communication.write',
  summary: 'Create a template',
  description: 'A template that cannot be rendered is refused; each error names its part and line.',
  body: Closed({ name, ...fields }),
  replies: { 201: TemplateView, 409: Problem },
  run: async ({ tx, actor, body }) => {
    const template = await createTemplate(tx, actor, body)
    return created(viewTemplate(template), `/communication/templates/${template.id}`, template.version)
  },
})

const getTemplateRoute = route({
  method: 'GET',
  path: '/communication/templates/:id',
  may: 'communication.read',
  summary: 'Read a template',
  params,
  replies: { 200: TemplateView, 404: Problem },
  run: async ({ tx, params: { id } }) => {
    const template = await getTemplate(tx, id)
    return record(viewTemplate(template), template.version)
  },
})

const updateRoutes = (['PUT', 'PATCH'] as const).map((method) =>
  route({
    method,
    path: '/communication/templates/:id',
    may: 'communication.write',
    summary: 'Change the fields that are named',
    params,
    body: Closed({ name: Type.Optional(name), ...fields }),
    replies: one,
    run: async ({ tx, actor, params: { id }, body, ifVersion }) => {
      const template = await updateTemplate(tx, actor, id, body, ifVersion)
      return record(viewTemplate(template), template.version)
    },
  }),
)

const deleteTemplateRoute = route({
  method: 'DELETE',
  path: '/communication/templates/:id',
  may: 'communication.write',
  summary: 'Delete a template; it can be restored',
  params,
  replies: { 200: Message, 404: Problem, 412: Problem },
  run: async ({ tx, actor, params: { id }, ifVersion }) => {
    await deleteTemplate(tx, actor, id, ifVersion)
    return { message: 'The template is deleted.' }
  },
})

const restoreTemplateRoute = route({
  method: 'POST',
  path: '/communication/templates/:id/restore',
  may: 'communication.write',
  summary: 'Restore a deleted template',
  params,
  replies: one,
  run: async ({ tx, actor, params: { id } }) => {
    const template = await restoreTemplate(tx, actor, id)
    return record(viewTemplate(template), template.version)
  },
})

const duplicateTemplateRoute = route({
  method: 'POST',
  path: '/communication/templates/:id/duplicate',
  may: 'communication.write',
  summary: 'Copy a template under a new name',
  params,
  replies: { 201: TemplateView, 404: Problem },
  run: async ({ tx, actor, params: { id } }) => {
    const template = await duplicateTemplate(tx, actor, id)
    return created(viewTemplate(template), `/communication/templates/${template.id}`, template.version)
  },
})

const Fault = Type.Object({ pointer: Type.String(), line: Type.Integer(), detail: Type.String() })

const previewRoute = route({
  method: 'POST',
  path: '/communication/templates/preview',
  may: 'communication.read',
  summary: 'Render a draft',
  description:
    'With the data of a contact, or of an example. Faults are listed in `errors`; the HTML is cleaned, so that it can be shown in a frame.',
  rate: '300/minute',
  body: Closed({
    ...fields,
    contact_id: Type.Optional(Id),
    data: Type.Optional(JsonObject),
    language: Type.Optional(OneOf(['en', 'fr', 'ro'])),
  }),
  replies: {
    200: Type.Object({ subject: Type.String(), html: Type.String(), text: Type.String(), errors: Type.Array(Fault) }),
    404: Problem,
  },
  run: async ({ tx, actor, body, services }) => {
    if (body.contact_id) authorize(services.permissions, actor, 'contact.read')
    const contact = body.contact_id ? viewContact(await getContact(tx, body.contact_id)) : exampleContact
    const workspace = await getWorkspace(tx, tx.workspaceId)
    const addresses = {
      unsubscribe_url: `${services.publicUrl}/u/example`,
      preferences_url: `${services.publicUrl}/p/example`,
    }
    const data = {
      campaign: { name: '' },
      ...body.data,
      contact,
      customer: contact,
      workspace: { name: workspace.name, postal_address: workspace.postal_address },
      ...addresses,
    }
    const source = { subject: body.subject ?? '', html: body.body_html ?? '', text: body.body_text ?? null }
    return previewMail(source, data, {
      language: body.language ?? contact.language,
      timezone: workspace.timezone,
      currency: workspace.currency,
    })
  },
})

export const templateRoutes = [
  listTemplatesRoute,
  createTemplateRoute,
  previewRoute,
  getTemplateRoute,
  ...updateRoutes,
  deleteTemplateRoute,
  restoreTemplateRoute,
  duplicateTemplateRoute,
]

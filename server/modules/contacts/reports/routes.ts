/** The doors of reports: run one that is only thought of, keep one, run that, and begin from a template. */
import { Type } from 'typebox'
import { created, record, route } from '#platform/http/route.ts'
import {
  Closed,
  Id,
  Message,
  NullableId,
  NullableTimestamp,
  OneOf,
  Page,
  pageQuery,
  Problem,
  Timestamp,
} from '#platform/http/shapes.ts'
import type { Tx } from '#platform/db/db.ts'
import { getWorkspace } from '#modules/accounts/index.ts'
import { languages } from '../texts.ts'
import { ReportFields, reportFields } from './catalogue.ts'
import { Definition, definitionFields, definitionGuide } from './definition.ts'
import type { Language } from './labels.ts'
import { createReport, deleteReport, getReport, listReports, restoreReport, updateReport } from './reports.ts'
import { ReportResult, runReport } from './run.ts'
import type { Report } from './tables.ts'
import { listTemplates } from './templates.ts'

const params = Closed({ id: Id })
const language = Type.Optional(OneOf(languages, { description: 'Of labels; the workspace’s unless told otherwise' }))
const name = Type.String({ minLength: 1, maxLength: 100, pattern: '\\S' })
const description = Type.Optional(Type.String({ maxLength: 2_000 }))

const ReportView = Type.Object(
  {
    id: Id,
    name: Type.String(),
    description: Type.String(),
    definition: Type.Unsafe<Definition>({
      type: 'object',
      additionalProperties: true,
      description: 'What POST /contacts/reports/run takes',
    }),
    created_by: NullableId,
    created_by_name: Type.String(),
    created_at: Timestamp,
    updated_at: Timestamp,
    deleted_at: NullableTimestamp,
  },
  { $id: 'Report' },
)

const runUnsavedRoute = route({
  method: 'POST',
  path: '/contacts/reports/run',
  may: 'contact.read',
  summary: 'Run a report that is not saved',
  description: definitionGuide,
  rate: '60/minute',
  query: Closed({ language }),
  body: Definition,
  replies: { 200: ReportResult },
  run: async ({ tx, query, body }) =>
    runReport(tx, body, { isKept: false, language: await languageOf(tx, query.language) }),
})

const fieldsRoute = route({
  method: 'GET',
  path: '/contacts/reports/fields',
  may: 'contact.read',
  summary: 'What reports can group by and measure',
  query: Closed({ language }),
  replies: { 200: ReportFields },
  run: async ({ tx, query }) => reportFields(tx, await languageOf(tx, query.language)),
})

const templatesRoute = route({
  method: 'GET',
  path: '/contacts/reports/templates',
  may: 'contact.read',
  summary: 'Reports to begin with',
  query: Closed({ language }),
  replies: {
    200: Type.Object({
      data: Type.Array(
        Type.Object({
          key: Type.String(),
          name: Type.String(),
          description: Type.String(),
          definition: Type.Unsafe<Definition>({ type: 'object', additionalProperties: true }),
        }),
      ),
    }),
  },
  run: async ({ tx, query }) => ({ data: listTemplates(await languageOf(tx, query.language)) }),
})

const listRoute = route({
  method: 'GET',
  path: '/contacts/reports',
  may: 'contact.read',
  summary: 'Reports that are kept',
  query: Closed({
    ...pageQuery,
    search: Type.Optional(Type.String({ maxLength: 200 })),
    deleted: Type.Optional(Type.Boolean({ description: 'The deleted ones instead of the others' })),
    sort: Type.Optional(Type.String({ maxLength: 50, description: 'name, created_at, updated_at' })),
  }),
  replies: { 200: Page(ReportView) },
  run: ({ tx, query }) => listReports(tx, query, viewReport),
})

const createRoute = route({
  method: 'POST',
  path: '/contacts/reports',
  may: 'report.write',
  summary: 'Keep a report under a name',
  description: definitionGuide,
  body: Closed({ name, description, ...definitionFields }),
  replies: { 201: ReportView, 409: Problem },
  run: async ({ tx, actor, body }) => {
    const report = await createReport(tx, actor, body)
    return created(viewReport(report), `/contacts/reports/${report.id}`, report.version)
  },
})

const showRoute = route({
  method: 'GET',
  path: '/contacts/reports/:id',
  may: 'contact.read',
  summary: 'One report: what it asks',
  params,
  replies: { 200: ReportView, 404: Problem },
  run: async ({ tx, params: { id } }) => {
    const report = await getReport(tx, id)
    return record(viewReport(report), report.version)
  },
})

const runRoute = route({
  method: 'GET',
  path: '/contacts/reports/:id/run',
  may: 'contact.read',
  summary: 'Run a report now',
  description: 'What it names and is not there any more counts nobody; `problems` says so.',
  rate: '60/minute',
  params,
  query: Closed({ language }),
  replies: { 200: ReportResult, 404: Problem },
  run: async ({ tx, params: { id }, query }) => {
    const { definition } = await getReport(tx, id)
    return runReport(tx, definition, { isKept: true, language: await languageOf(tx, query.language) })
  },
})

const [replaceRoute, changeRoute] = (['PUT', 'PATCH'] as const).map((method) =>
  route({
    method,
    path: '/contacts/reports/:id',
    may: 'report.write',
    summary: 'Change a report: what is named is replaced, the rest stays',
    params,
    body: Closed({ name: Type.Optional(name), description, ...definitionFields }),
    replies: { 200: ReportView, 404: Problem, 409: Problem, 412: Problem },
    run: async ({ tx, params: { id }, body, ifVersion }) => {
      const report = await updateReport(tx, id, body, ifVersion)
      return record(viewReport(report), report.version)
    },
  }),
)

const deleteRoute = route({
  method: 'DELETE',
  path: '/contacts/reports/:id',
  may: 'report.write',
  summary: 'Delete a report; it can be restored',
  params,
  replies: { 200: Message, 404: Problem, 412: Problem },
  run: async ({ tx, params: { id }, ifVersion }) => {
    await deleteReport(tx, id, ifVersion)
    return { message: 'The report was deleted. It can be restored.' }
  },
})

const restoreRoute = route({
  method: 'POST',
  path: '/contacts/reports/:id/restore',
  may: 'report.write',
  summary: 'Bring a deleted report back, unless its name was taken meanwhile',
  params,
  replies: { 200: ReportView, 404: Problem, 409: Problem },
  run: async ({ tx, params: { id } }) => {
    const report = await restoreReport(tx, id)
    return record(viewReport(report), report.version)
  },
})

export const reportRoutes = [
  runUnsavedRoute,
  fieldsRoute,
  templatesRoute,
  listRoute,
  createRoute,
  showRoute,
  runRoute,
  replaceRoute!,
  changeRoute!,
  deleteRoute,
  restoreRoute,
]

export async function languageOf(tx: Tx, asked: Language | undefined): Promise<Language> {
  return asked ?? (await getWorkspace(tx, tx.workspaceId)).language
}

function viewReport({ workspace_id: _workspace, version: _version, ...shown }: Report) {
  return shown
}

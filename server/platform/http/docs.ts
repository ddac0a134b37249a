/** `/openapi.json`, and the reference page at `/docs` that shows it. */
import type { FastifyInstance } from 'fastify'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import { describeApi } from './openapi.ts'
import type { AnyRoute } from './route.ts'

type Specification = NonNullable<Extract<swagger.StaticDocumentSpec, { document: unknown }>>

export async function addDocs(app: FastifyInstance, routes: AnyRoute[]): Promise<void> {
  const document = describeApi(routes)
  const text = JSON.stringify(document)
  await app.register(swagger, {
    mode: 'static',
    specification: { document: document as unknown as Specification['document'] },
  })
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: false,
    uiConfig: { docExpansion: 'none', filter: true, tryItOutEnabled: false },
    theme: { title: 'Rapport API', css: [{ filename: 'rapport.css', content: '.topbar { display: none }' }] },
  })
  app.get('/openapi.json', (_request, reply) => reply.type('application/json; charset=utf-8').send(text))
}

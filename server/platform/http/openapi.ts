/** `/openapi.json` and the reference page at `/docs`, both from the doors themselves. */
import type { FastifyInstance } from 'fastify'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'

export async function addOpenApi(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Rapport',
        version: '1',
        description:
          'Every conversation with a customer in one place. JSON in snake_case; times RFC 3339 in UTC; lists by cursor; ' +
          'errors as RFC 9457 problem documents with a stable `code`.',
      },
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: 'An API key (rk_…) or a token of your auth service' },
          session: { type: 'apiKey', in: 'cookie', name: '__Host-rapport', description: 'The web application' },
        },
      },
      security: [{ bearer: [] }, { session: [] }],
    },
    refResolver: { buildLocalReference: (schema, _base, _fragment, index) => String(schema.$id ?? `Shape${index}`) },
  })
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: false,
    uiConfig: { docExpansion: 'none', filter: true, tryItOutEnabled: false },
    theme: { title: 'Rapport API' },
  })
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger())
}

/** `/health`, `/status`, `/metrics` and a welcome, at the root in every mode: for probes, Prometheus and the curious. */
import { Type } from 'typebox'
import type { FastifyInstance } from 'fastify'
import type { Runtime } from '../services.ts'

export function addOperations(app: FastifyInstance, runtime: Runtime): void {
  const service = serviceTitle(runtime)
  const health = Type.Object({ status: Type.String(), service: Type.String() })
  app.get('/health', { schema: { response: { 200: health } } }, () => ({ status: 'ok', service }))

  let stopping = false
  app.addHook('preClose', async () => void (stopping = true))
  const status = Type.Object({
    status: Type.String(),
    database: Type.String(),
    files: Type.Optional(Type.String({ description: 'Where an object storage is configured' })),
  })
  app.get('/status', { schema: { response: { 200: status, 503: status } } }, async (_request, reply) => {
    const [database, files] = await Promise.all([
      runtime.db.ping().then(...states),
      runtime.config.s3 ? runtime.files.ping().then(...states) : null,
    ])
    const parts = files ? { database, files } : { database }
    const isReady = !stopping && !Object.values(parts).includes('disconnected')
    if (isReady) return { status: 'ok', ...parts }
    return reply
      .code(503)
      .header('retry-after', '5')
      .send({ status: stopping ? 'stopping' : 'unavailable', ...parts })
  })

  app.get('/metrics', async (_request, reply) => {
    const { registry } = runtime.metrics
    return reply.header('content-type', registry.contentType).send(await registry.metrics())
  })
}

const states = [() => 'connected', () => 'disconnected'] as const

/** What stands at `/` for a program: who answers here, and where to read on. */
export function welcome(runtime: Runtime) {
  const title = serviceTitle(runtime)
  return {
    message: `Welcome to ${runtime.config.app.name}.`,
    service: title,
    status: 'ok',
    docs: '/docs',
    openapi: '/openapi.json',
    api: '/api/v1',
  }
}

/** Where no web application has that address. */
export function addWelcome(app: FastifyInstance, runtime: Runtime): void {
  app.get('/', () => welcome(runtime))
}

function serviceTitle({ config }: Runtime): string {
  return config.service?.title ?? config.app.name
}

/** `/health`, `/status` and `/metrics`, at the root in every mode: for probes and for Prometheus. */
import { Type } from 'typebox'
import type { FastifyInstance } from 'fastify'
import type { Runtime } from '../services.ts'

export function addOperations(app: FastifyInstance, runtime: Runtime): void {
  const service = runtime.config.app.name
  const health = Type.Object({ status: Type.String(), service: Type.String() })
  app.get('/health', { schema: { response: { 200: health } } }, () => ({ status: 'ok', service }))

  let stopping = false
  app.addHook('preClose', async () => void (stopping = true))
  const status = Type.Object({ status: Type.String(), database: Type.String() })
  app.get('/status', { schema: { response: { 200: status, 503: status } } }, async (_request, reply) => {
    const connected = await runtime.db.ping().then(
      () => true,
      () => false,
    )
    const database = connected ? 'connected' : 'disconnected'
    if (connected && !stopping) return { status: 'ok', database }
    return reply
      .code(503)
      .header('retry-after', '5')
      .send({ status: stopping ? 'stopping' : 'unavailable', database })
  })

  app.get('/metrics', async (_request, reply) => {
    const { registry } = runtime.metrics
    return reply.header('content-type', registry.contentType).send(await registry.metrics())
  })
}

/** The reference of `bench/start.ts`: bare Fastify that says hello. */
import Fastify from 'fastify'

const server = Fastify()
server.get('/', () => ({ hello: 'world' }))
await server.listen({ port: Number(process.argv[2]), host: '127.0.0.1' })
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void server.close())

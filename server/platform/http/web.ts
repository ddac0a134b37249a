/** The built web application: its files by name, and its page for every other address that a browser asks for. */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { FastifyInstance } from 'fastify'
import fastifyStatic from '@fastify/static'

/** `welcome` is what an API client sees where a browser gets the page. */
export async function addWebApplication(app: FastifyInstance, folder: string, welcome: object): Promise<void> {
  const page = await readFile(path.join(folder, 'index.html'), 'utf8')
  await app.register(fastifyStatic, {
    root: path.join(folder, 'assets'),
    prefix: '/assets/',
    immutable: true,
    maxAge: '365d', // names carry a hash of the content
    decorateReply: true,
  })
  await app.register(fastifyStatic, {
    root: folder,
    prefix: '/',
    decorateReply: false,
    wildcard: false,
    index: false,
    globIgnore: ['index.html', 'assets/**'],
  })
  app.get('/', (request, reply) => {
    if (wantsPage(request.headers.accept)) return reply.type('text/html').header('cache-control', 'no-cache').send(page)
    return reply.send(welcome)
  })
  app.get('/*', (request, reply) => {
    const isApi = /^\/(api|t|u|p)(\/|$)/.test(request.url)
    if (isApi || !wantsPage(request.headers.accept)) return reply.callNotFound()
    return reply.type('text/html').header('cache-control', 'no-cache').send(page)
  })
}

function wantsPage(accept: string | undefined): boolean {
  return accept?.includes('text/html') ?? false
}

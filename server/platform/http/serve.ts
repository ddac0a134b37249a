/**
 * The HTTP server: mounts the modules' doors and gives each the same treatment, in this order: who is asking, may they,
 * is the input right, one transaction, one reply.
 */
import Fastify, {
  LogController,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyBaseLogger,
} from 'fastify'
import cookie from '@fastify/cookie'
import cors from '@fastify/cors'
import helmet from '@fastify/helmet'
import multipart from '@fastify/multipart'
import { randomUUID } from 'node:crypto'
import type { PgBoss } from 'pg-boss'
import { Type, type TSchema } from 'typebox'
import type { AnyRoute, Identity } from './route.ts'
import type { Runtime } from '../services.ts'
import { addDocs } from './docs.ts'
import { addForms } from './forms.ts'
import { addJson } from './json.ts'
import { addOperations, addWelcome, welcome } from './operations.ts'
import { isId } from '../ids.ts'
import { enter } from './enter.ts'
import { handle } from './handle.ts'
import { replyWithProblem } from './problem.ts'
import { listAddresses, refuseAddress, refuseUnreadable } from './refusals.ts'
import { buildSerializer, createLazyValidators } from './compiling.ts'
import { addWebApplication } from './web.ts'

/** Finds out who is asking; throws `Unauthenticated` for a credential that is wrong, answers no actor for none. */
export type Authenticate = (request: FastifyRequest) => Promise<Identity>

export interface ServerOptions {
  runtime: Runtime
  queue: PgBoss
  routes: AnyRoute[]
  authenticate: Authenticate
  /** Folder of the built web application; null serves the API alone. */
  webFolder: string | null
}

/** The addresses that documents 2 and 4 write without the version; the same doors answer. */
const olderPrefixes = ['/api/communication', '/api/customers', '/api/gdpr']

export async function createServer(options: ServerOptions): Promise<FastifyInstance> {
  const { runtime } = options
  const { config } = runtime
  const app: FastifyInstance = Fastify({
    loggerInstance: runtime.log as FastifyBaseLogger,
    genReqId: () => randomUUID(),
    trustProxy: config.http.trustedProxies.length ? config.http.trustedProxies : false,
    bodyLimit: 2 * 1024 * 1024,
    requestTimeout: 120_000,
    keepAliveTimeout: 75_000,
    forceCloseConnections: 'idle',
    // While it closes, what arrives on open connections is still answered, with `Connection: close`.
    return503OnClosing: false,
    logController: new LogController({ disableRequestLogging: true }),
    schemaController: { compilersFactory: { buildSerializer } },
    routerOptions: { ignoreTrailingSlash: true, ignoreDuplicateSlashes: false, maxParamLength: 4_200 },
    // An address that cannot be read passes no hook, so the headers are set here.
    frameworkErrors: (error, request, reply) => {
      void reply.headers({ 'content-security-policy': "default-src 'none'", 'x-content-type-options': 'nosniff' })
      replyWithProblem(error, request, reply as FastifyReply)
    },
    clientErrorHandler: refuseUnreadable,
    rewriteUrl: (request) => modernPath(request.url ?? '/', config.service?.paths ?? []),
  })
  const validators = createLazyValidators()
  app.setValidatorCompiler(({ schema, httpPart }) => validators(schema, httpPart))
  app.setErrorHandler((error, request, reply) => replyWithProblem(error, request, reply))
  const addresses = listAddresses(app)
  app.decorateRequest('entrance', null)
  app.addHook('onRequest', async (request, reply) => void reply.header('x-request-id', request.id))
  app.addHook('preClose', async () => runtime.live.endAll())
  app.addHook('onResponse', async (request, reply) => logAndMeasure(runtime, request, reply))

  addJson(app)
  await app.register(cookie)
  await app.register(helmet, securityHeaders(config.http.publicUrl))
  await app.register(cors, {
    origin: config.http.corsOrigins.includes('*') ? '*' : config.http.corsOrigins,
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    credentials: false,
    maxAge: 600,
    exposedHeaders: ['etag', 'location', 'retry-after', 'ratelimit', 'ratelimit-policy', 'idempotent-replayed'],
  })
  await app.register(multipart, {
    limits: {
      fileSize: config.limits.uploadSizeBytesMax,
      files: 20,
      fields: 50,
      parts: 70,
      fieldSize: 1_000_000,
      headerPairs: 100,
    },
  })
  await addDocs(app, options.routes)
  await app.register(async (mounted) => {
    for (const route of options.routes) if (!route.options.page) mount(mounted, route, options)
  })
  await app.register(async (pages) => {
    addForms(pages)
    for (const route of options.routes) if (route.options.page) mount(pages, route, options)
  })
  addOperations(app, runtime)
  if (options.webFolder) await addWebApplication(app, options.webFolder, welcome(runtime))
  else addWelcome(app, runtime)
  app.setNotFoundHandler((request, reply) => refuseAddress(addresses, request, reply))
  return app
}

function mount(app: FastifyInstance, route: AnyRoute, options: ServerOptions): void {
  const { method, path, root, params, query, body, replies } = route.options
  app.route({
    method,
    url: root ? path : `/api/v1${path}`,
    schema: {
      ...(params ? { params } : {}),
      ...(query ? { querystring: query } : {}),
      ...(body && !route.multipart ? { body: Type.IsOptional(body) ? orNothing(body) : body } : {}),
      response: replies,
    },
    onRequest: (request, reply) => enter(route, request, reply, options),
    handler: (request, reply) => handle(route, request, reply, options),
  })
}

/** A door whose body may be left out takes a request that has none. */
function orNothing(body: TSchema): object {
  return { ...body, type: ['object', 'null'] }
}

/** `atRoot`: what the service whose mode this is writes without any prefix. */
function modernPath(url: string, atRoot: readonly string[]): string {
  const begins = (prefix: string): boolean =>
    url === prefix || url.startsWith(`${prefix}/`) || url.startsWith(`${prefix}?`)
  if (olderPrefixes.some(begins)) return url.replace('/api/', '/api/v1/')
  return atRoot.some(begins) ? `/api/v1${url}` : url
}

function securityHeaders(publicUrl: string) {
  const secure = publicUrl.startsWith('https:')
  return {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'", "'unsafe-inline'"],
        imgSrc: ["'self'", 'data:', 'blob:'],
        connectSrc: ["'self'"],
        fontSrc: ["'self'", 'data:'],
        frameSrc: ["'self'", 'blob:', 'data:'],
        objectSrc: ["'none'"],
        baseUri: ["'none'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
        ...(secure ? { upgradeInsecureRequests: [] } : {}),
      },
    },
    hsts: secure ? { maxAge: 31_536_000, includeSubDomains: true } : false,
    referrerPolicy: { policy: 'no-referrer' as const },
    frameguard: { action: 'deny' as const },
    crossOriginEmbedderPolicy: false,
  }
}

function logAndMeasure(runtime: Runtime, request: FastifyRequest, reply: FastifyReply): void {
  const route = request.routeOptions.url ?? 'unknown'
  const tookMs = reply.elapsedTime
  runtime.metrics.httpDuration.observe({ method: request.method, route, status: reply.statusCode }, tookMs / 1_000)
  const fields = {
    method: request.method,
    route,
    status: reply.statusCode,
    took_ms: Math.round(tookMs),
    request_id: request.id,
  }
  if (reply.statusCode >= 500) runtime.log.error(fields, 'request')
  else if (isChange(request)) runtime.log.info({ ...fields, ...whoAndWhat(request) }, 'request')
  else runtime.log.debug(fields, 'request')
}

/** Who changes what is kept in the log; who looks at what is not. */
function isChange({ method }: FastifyRequest): boolean {
  return !['GET', 'HEAD', 'OPTIONS'].includes(method)
}

/** Ids alone: other parts of an address are tokens, or name people. */
function whoAndWhat({ entrance, params }: FastifyRequest) {
  const ids = Object.entries((params ?? {}) as Record<string, unknown>).filter(
    ([, value]) => typeof value === 'string' && isId(value),
  )
  const { workspaceId, id, kind } = entrance?.actor ?? {}
  return {
    workspace_id: workspaceId ?? null,
    actor_id: id ?? null,
    actor_kind: kind ?? null,
    ids: Object.fromEntries(ids),
  }
}

/**
 * The doors behind a mail's pixel and links. Everybody who asks for a picture gets it, and whoever follows a link that
 * we wrote gets there; a token that is not ours changes nothing. No address comes from a query.
 */
import { Type } from 'typebox'
import { chooseLanguage, invalidLinkPage } from '#modules/contacts/index.ts'
import { Reply, streamRoute } from '#platform/http/route.ts'
import { Message } from '#platform/http/shapes.ts'
import type { Runtime, Services } from '#platform/services.ts'
import { isOpeningProxy, judgeRequest } from './machine.ts'
import { trackingBuffer, type TrackedHit } from './tracking-buffer.ts'
import { readClickToken, readDeliveryToken, type ClickRef, type DeliveryRef } from './tracking-tokens.ts'
import { findTarget } from './tracking.ts'

const Token = Type.String({ maxLength: 1_000 })
const Picture = Type.String({ description: 'image/gif' })
const Page = Type.String({ description: 'text/html' })
// One transparent point.
const gif = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64')

function pixel(): Reply<string> {
  const headers = {
    'content-type': 'image/gif',
    'cache-control': 'no-store, private',
    'cross-origin-resource-policy': 'cross-origin',
  }
  return new Reply<string>(200, gif, headers)
}

interface Visit {
  runtime: Runtime
  request: { method: string }
  userAgent: string
}

function note(visit: Visit, kind: 'open' | 'click', ref: DeliveryRef, number: number | null): void {
  const { method } = visit.request
  const machine = judgeRequest({ method, userAgent: visit.userAgent })
  const proxy = isOpeningProxy(visit.userAgent)
  const { workspaceId, deliveryId } = ref
  const hit: TrackedHit = { workspaceId, deliveryId, kind, at: new Date(), machine, proxy, number }
  trackingBuffer(visit.runtime).add(hit)
}

const common = { may: 'public', page: true, unmetered: true } as const

function pixelRoute(path: string, root: boolean) {
  return streamRoute({
    ...common,
    root,
    method: 'GET',
    path,
    summary: 'The picture that tells that a mail was opened',
    description: 'Recorded for people who allow it; the answer is the same for every token, known or not.',
    params: Type.Object({ token: Token }),
    replies: { 200: Picture },
    stream: async (call) => {
      const delivery = readDeliveryToken(call.services, call.params.token)
      if (delivery) note(call, 'open', delivery, null)
      return pixel()
    },
  })
}

function linkRoute(path: string, root: boolean) {
  return streamRoute({
    ...common,
    root,
    method: 'GET',
    path,
    summary: 'A link of a mail: leads on to the address that the campaign keeps',
    params: Type.Object({ token: Token }),
    replies: { 302: Type.Null(), 404: Page },
    scope: ({ params, services }) => readClick(services, params.token)?.workspaceId ?? null,
    stream: async (call) => {
      const click = readClick(call.services, call.params.token)
      const target = click && (await call.inTx((tx) => findTarget(tx, click)))
      if (!click || !target) return gone(call.request.headers['accept-language'])
      note(call, 'click', click, click.number)
      return new Reply<never>(302, '', {
        location: target,
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
      })
    },
  })
}

/** The bare token of a delivery means its first link. */
function readClick(services: Services, token: string): ClickRef | null {
  const click = readClickToken(services, token)
  if (click) return click
  const delivery = readDeliveryToken(services, token)
  return delivery && { ...delivery, number: 0, target: null }
}

function gone(languages: string | undefined): Reply<never> {
  return invalidLinkPage(chooseLanguage(null, languages)) as Reply<never>
}

/** For programs that show mails themselves: the same, told instead of fetched. */
function tellRoute(kind: 'opened' | 'clicked') {
  return streamRoute({
    ...common,
    method: 'POST',
    path: `/public/track/:token/${kind}`,
    summary: kind === 'opened' ? 'Tell that a mail was opened' : 'Tell that a link was followed',
    description:
      'The token is the one of the delivery, as in the mail; an unknown one gets the same answer and changes nothing.',
    params: Type.Object({ token: Token }),
    replies: { 200: Message },
    stream: async (call) => {
      const { ref, number } = readEither(call.services, call.params.token)
      if (ref) note(call, kind === 'opened' ? 'open' : 'click', ref, kind === 'clicked' ? number : null)
      return { message: 'Thank you.' }
    },
  })
}

function readEither(services: Services, token: string): { ref: DeliveryRef | ClickRef | null; number: number | null } {
  const click = readClickToken(services, token)
  return click ? { ref: click, number: click.number } : { ref: readDeliveryToken(services, token), number: null }
}

export const trackingRoutes = [
  pixelRoute('/t/o/:token', true),
  linkRoute('/t/c/:token', true),
  pixelRoute('/public/track/:token/opened', false),
  linkRoute('/public/track/:token/clicked', false),
  tellRoute('opened'),
  tellRoute('clicked'),
]

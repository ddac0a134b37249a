/**
 * The pages behind the links in mails. GET shows and changes nothing, because scanners and previews fetch links; POST
 * acts. The token in the address is all the authority there is: no cookie, no account, no redirect.
 */
import { Type } from 'typebox'
import type { FastifyRequest } from 'fastify'
import type { Fields } from '#platform/http/forms.ts'
import { streamRoute } from '#platform/http/route.ts'
import type { Services } from '#platform/services.ts'
import {
  confirmationGonePage,
  confirmationPage,
  confirmedPage,
  goodbyePage,
  invalidLinkPage,
  preferencesPage,
  unsubscribedPage,
  unsubscribePage,
} from './pages/subscription-pages.ts'
import {
  confirmSubscription,
  findOpenRequest,
  findVisitor,
  savePreferences,
  subscriptionTypes,
  unsubscribe,
  type SubscriptionType,
} from './public-subscription.ts'
import { readConfirmationToken, readPreferencesToken, readUnsubscribeToken, type Holder } from './subscription-links.ts'
import { chooseLanguage } from './texts.ts'

const params = Type.Object({ token: Type.String({ maxLength: 400 }) })
const Page = Type.String({ description: 'text/html' })

/** What every page door has in common; `read` decides whose workspace it works in. */
function page(read: (services: Services, token: string) => Holder | null) {
  return {
    root: true,
    may: 'public',
    page: true,
    params,
    scope: ({ params: { token }, services }: { params: { token: string }; services: Services }) =>
      read(services, token)?.workspaceId ?? null,
  } as const
}

export const showUnsubscribeRoute = streamRoute({
  ...page(readUnsubscribeToken),
  method: 'GET',
  path: '/u/:token',
  summary: 'The page behind an unsubscribe link; changes nothing',
  replies: { 200: Page, 404: Page },
  stream: async ({ params, services, inTx, request }) => {
    const holder = readUnsubscribeToken(services, params.token)
    const visitor = holder && (await inTx((tx) => findVisitor(tx, services, holder, languageOf(request))))
    return visitor ? unsubscribePage(visitor) : invalidLinkPage(chooseLanguage(null, languageOf(request)))
  },
})

export const unsubscribeByLinkRoute = streamRoute({
  ...page(readUnsubscribeToken),
  method: 'POST',
  path: '/u/:token',
  summary: 'Unsubscribes: the form of the page, and one click in a mail program (RFC 8058)',
  description:
    'Takes `List-Unsubscribe=One-Click` or the form of the page, urlencoded or multipart. Without a `type` (`newsletter`, ' +
    '`marketing`, `all`) everything but transactional messages ends. Whoever posts to the link means it, so any body will do.',
  replies: { 200: Page, 404: Page },
  stream: async ({ params, services, inTx, request, ip, userAgent }) => {
    const holder = readUnsubscribeToken(services, params.token)
    if (!holder) return invalidLinkPage(chooseLanguage(null, languageOf(request)))
    const fields = fieldsOf(request)
    const source = fields['List-Unsubscribe'] === 'One-Click' ? 'one_click' : 'unsubscribe_page'
    return inTx(async (tx) => {
      await unsubscribe(tx, services, holder, { type: typeOf(fields), source, trace: { ip, userAgent } })
      const visitor = await findVisitor(tx, services, holder, languageOf(request))
      return visitor ? unsubscribedPage(visitor) : goodbyePage(chooseLanguage(null, languageOf(request)))
    })
  },
})

export const showPreferencesRoute = streamRoute({
  ...page(readPreferencesToken),
  method: 'GET',
  path: '/p/:token',
  summary: 'The preference page of one person; changes nothing',
  replies: { 200: Page, 404: Page },
  stream: async ({ params, services, inTx, request }) => {
    const holder = readPreferencesToken(services, params.token)
    const visitor = holder && (await inTx((tx) => findVisitor(tx, services, holder, languageOf(request))))
    return visitor ? preferencesPage(visitor, false) : invalidLinkPage(chooseLanguage(null, languageOf(request)))
  },
})

export const savePreferencesRoute = streamRoute({
  ...page(readPreferencesToken),
  method: 'POST',
  path: '/p/:token',
  summary: 'Saves what a person wants to receive: the form of the preference page',
  replies: { 200: Page, 404: Page },
  stream: async ({ params, services, inTx, request, ip, userAgent }) => {
    const holder = readPreferencesToken(services, params.token)
    const invalid = invalidLinkPage(chooseLanguage(null, languageOf(request)))
    if (!holder) return invalid
    const fields = fieldsOf(request)
    const trace = { ip, userAgent }
    return inTx(async (tx) => {
      const visitor = await findVisitor(tx, services, holder, languageOf(request))
      if (!visitor) return invalid
      if (fields.action === 'unsubscribe_all') {
        await unsubscribe(tx, services, holder, { type: 'all', source: 'preference_page', trace })
      } else {
        await savePreferences(tx, services, holder, { fields, trace, visitor })
      }
      return preferencesPage((await findVisitor(tx, services, holder, languageOf(request))) ?? visitor, true)
    })
  },
})

export const showConfirmationRoute = streamRoute({
  ...page(readConfirmationToken),
  method: 'GET',
  path: '/s/:token',
  summary: 'The page that asks to confirm a subscription; changes nothing',
  replies: { 200: Page, 410: Page },
  stream: async ({ params, services, inTx, request }) => {
    const holder = readConfirmationToken(services, params.token)
    const gone = confirmationGonePage(chooseLanguage(null, languageOf(request)))
    if (!holder) return gone
    return inTx(async (tx) => {
      const visitor = await findVisitor(tx, services, holder, languageOf(request))
      const open = visitor ? await findOpenRequest(tx, services, holder) : []
      return visitor && open.length
        ? confirmationPage(
            visitor,
            open.map(({ purpose }) => purpose),
          )
        : gone
    })
  },
})

export const confirmByPageRoute = streamRoute({
  ...page(readConfirmationToken),
  method: 'POST',
  path: '/s/:token',
  summary: 'Confirms a subscription: the second half of the double opt-in',
  replies: { 200: Page, 410: Page },
  stream: async ({ params, services, inTx, request, ip, userAgent }) => {
    const holder = readConfirmationToken(services, params.token)
    const gone = confirmationGonePage(chooseLanguage(null, languageOf(request)))
    if (!holder) return gone
    const acceptLanguage = languageOf(request)
    return inTx(async (tx) => {
      const confirmed = await confirmSubscription(tx, services, holder, { ip, userAgent, acceptLanguage })
      const visitor = confirmed ? await findVisitor(tx, services, holder, acceptLanguage) : null
      return visitor ? confirmedPage(visitor) : gone
    })
  },
})

export const pageRoutes = [
  showUnsubscribeRoute,
  unsubscribeByLinkRoute,
  showPreferencesRoute,
  savePreferencesRoute,
  showConfirmationRoute,
  confirmByPageRoute,
]

function languageOf(request: FastifyRequest): string | undefined {
  return request.headers['accept-language']
}

function fieldsOf(request: FastifyRequest): Fields {
  return (request.body ?? {}) as Fields
}

/** An unknown type is no reason to go on sending: it means everything, as none does. */
function typeOf(fields: Fields): SubscriptionType {
  const type = subscriptionTypes.find((known) => known === fields.type)
  return !type || type === 'transactional' ? 'all' : type
}

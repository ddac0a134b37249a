/** The doors of document 1 without an account: subscribe, confirm, unsubscribe. What they answer tells nobody who is known here. */
import { Type } from 'typebox'
import { Closed, Email, Message, OneOf, Problem } from '#platform/http/shapes.ts'
import { Gone, Invalid, NotFound } from '#platform/errors.ts'
import { Reply, streamRoute } from '#platform/http/route.ts'
import type { Runtime } from '#platform/services.ts'
import { defaultWorkspaceId, findWorkspaceId } from '#modules/accounts/index.ts'
import { keepRequest, type FormDetails, type PublicRequest } from './public-requests.ts'
import { confirmSubscription, subscriptionTypes, unsubscribe, withdrawable } from './public-subscription.ts'
import { readConfirmationToken, readUnsubscribeToken } from './subscription-links.ts'
import { chooseLanguage } from './texts.ts'

const query = Type.Object({
  workspace: Type.Optional(Type.String({ maxLength: 100, description: 'Slug; without it, the first workspace' })),
})
const token = Type.String({ maxLength: 400 })

export const subscribeByFormRoute = streamRoute({
  method: 'POST',
  path: '/public/subscribe',
  may: 'public',
  rate: '30/minute',
  summary: 'Asks for a subscription: sends a confirmation mail to the address',
  description:
    'The answer is the same for every address. Nothing is sent to the person but one confirmation mail (at most one in 24 ' +
    'hours) until they confirm. `website` is a trap for robots: leave it empty and hide it. `wording` is the text beside the ' +
    'box of your form, for the proof of consent.',
  query,
  body: Closed({
    email: Email,
    first_name: Type.Optional(Type.String({ maxLength: 100 })),
    last_name: Type.Optional(Type.String({ maxLength: 100 })),
    newsletter: Type.Optional(Type.Boolean()),
    marketing: Type.Optional(Type.Boolean()),
    language: Type.Optional(Type.String({ pattern: '^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$', maxLength: 35 })),
    source: Type.Optional(
      Type.String({ maxLength: 100, description: 'Where the form stands, such as website_footer' }),
    ),
    wording: Type.Optional(Type.String({ maxLength: 2_000 })),
    website: Type.Optional(Type.String({ maxLength: 1_000 })),
  }),
  replies: { 202: Message },
  stream: async ({ body, query, runtime, request, ip, userAgent }) => {
    const { newsletter = body.marketing === undefined, marketing = false } = body
    if (!newsletter && !marketing)
      throw Invalid.at('/newsletter', 'nothing_asked', 'Ask for newsletter, marketing or both.')
    if (!body.website) {
      await keep(runtime, query.workspace, 'subscribe', body.email, {
        firstName: body.first_name,
        lastName: body.last_name,
        newsletter,
        marketing,
        language: body.language ?? chooseLanguage(null, request.headers['accept-language']),
        form: body.source,
        wording: body.wording,
        ip,
        userAgent,
      })
    }
    return new Reply(202, { message: 'Thank you. Please confirm with the link in the e-mail that we have sent you.' })
  },
})

export const confirmRoute = streamRoute({
  method: 'POST',
  path: '/public/confirm',
  may: 'public',
  rate: '60/minute',
  summary: 'Confirms a subscription with the token of the confirmation mail',
  body: Closed({ token }),
  scope: ({ body, services }) => readConfirmationToken(services, body.token)?.workspaceId ?? null,
  replies: { 200: Message, 410: Problem },
  stream: async ({ body, services, inTx, request, ip, userAgent }) => {
    const holder = readConfirmationToken(services, body.token)
    const acceptLanguage = request.headers['accept-language']
    const confirmed =
      holder && (await inTx((tx) => confirmSubscription(tx, services, holder, { ip, userAgent, acceptLanguage })))
    if (!confirmed) throw new Gone('link_expired', 'This link is not valid, or no longer. Fill in the form again.')
    return { message: 'Thank you. Your subscription is confirmed.' }
  },
})

export const unsubscribeByFormRoute = streamRoute({
  method: 'POST',
  path: '/public/unsubscribe',
  may: 'public',
  rate: '30/minute',
  summary: 'Unsubscribes with the token of a mail; with an address alone, sends a link to it',
  query,
  body: Closed({
    email: Type.Optional(Email),
    token: Type.Optional(token),
    type: Type.Optional(OneOf(subscriptionTypes)),
  }),
  scope: ({ body, services }) =>
    body.token ? (readUnsubscribeToken(services, body.token)?.workspaceId ?? null) : null,
  replies: { 200: Message, 202: Message },
  stream: async ({ body, query, runtime, services, inTx, request, ip, userAgent }) => {
    const { email, type = 'all' } = body
    withdrawable(type)
    if (body.token) {
      const holder = readUnsubscribeToken(services, body.token)
      if (!holder) throw Invalid.at('/token', 'invalid_token', 'This is not the token of an unsubscribe link.')
      const trace = { ip, userAgent }
      await inTx((tx) => unsubscribe(tx, services, holder, { type, source: 'unsubscribe_page', trace }))
      return new Reply(200, { message: 'You are unsubscribed.' })
    }
    if (!email) throw Invalid.at('/email', 'required', 'Send the address, or the token of an unsubscribe link.')
    const language = chooseLanguage(null, request.headers['accept-language'])
    await keep(runtime, query.workspace, 'unsubscribe', email, {
      newsletter: false,
      marketing: false,
      language,
      ip,
      userAgent,
    })
    return new Reply(202, { message: 'If we know this address, it gets an e-mail with a link to unsubscribe.' })
  },
})

export const publicRoutes = [subscribeByFormRoute, confirmRoute, unsubscribeByFormRoute]

async function keep(
  runtime: Runtime,
  slug: string | undefined,
  kind: PublicRequest['kind'],
  email: string,
  details: FormDetails,
): Promise<void> {
  const workspaceId =
    slug === undefined ? await defaultWorkspaceId(runtime.db) : await findWorkspaceId(runtime.db, slug)
  if (!workspaceId) throw new NotFound('workspace')
  await runtime.db.transaction(workspaceId, (tx) => keepRequest(tx, kind, email, details))
}

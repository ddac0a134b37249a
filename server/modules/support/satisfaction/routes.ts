/** How a rating comes in: from the page behind the link of the mail, from another page with that token, or from the account. */
import { Type } from 'typebox'
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import { Conflict, Forbidden, Gone } from '#platform/errors.ts'
import { record, route, streamRoute } from '#platform/http/route.ts'
import { Closed, Id, Message, Problem } from '#platform/http/shapes.ts'
import type { Services } from '#platform/services.ts'
import { getWorkspace } from '#modules/accounts/index.ts'
import { chooseLanguage, html, invalidLinkPage, showPage, type Language } from '#modules/contacts/index.ts'
import { isRequester } from '../access.ts'
import { anonymous } from '../public/tickets.ts'
import type { Ticket } from '../tables.ts'
import { TicketView, viewTicket } from '../ticket-view.ts'
import { isEnded } from '../ticket-status.ts'
import { lockTicket } from '../tickets.ts'
import { readRatingToken, type RatingHolder } from './links.ts'
import { rateTicket, type Rating } from './rating.ts'
import { surveyTexts } from './texts.ts'

const rating = Type.Integer({ minimum: 1, maximum: 5, description: '1, very bad, to 5, very good' })
const comment = Type.Optional(Type.String({ maxLength: 5_000 }))
const token = Type.String({ maxLength: 400 })
const expired = (): Gone => new Gone('link_expired', 'This link is not valid, or no longer.')

const rateByTokenRoute = route({
  method: 'POST',
  path: '/public/tickets/satisfaction',
  may: 'public',
  rate: '30/minute',
  summary: 'Rate a ticket with the token of the survey’s link; it is good for one rating',
  body: Closed({ token, rating, comment }),
  scope: ({ body, services }) => readRatingToken(services, body.token)?.workspaceId ?? null,
  replies: { 200: Message, 409: Problem, 410: Problem },
  run: async ({ tx, body, services }) => {
    const holder = readRatingToken(services, body.token)
    if (!holder) throw expired()
    await rate(tx, holder, body)
    return { message: 'Thank you. Your rating has arrived.' }
  },
})

const rateOwnRoute = route({
  method: 'POST',
  path: '/tickets/:id/satisfaction',
  may: 'ticket.write',
  summary: 'Rate a ticket of one’s own, once, after its end',
  params: Closed({ id: Id }),
  body: Closed({ rating, comment }),
  replies: { 200: TicketView, 404: Problem, 409: Problem, 410: Problem },
  run: async ({ tx, actor, params: { id }, body }) => {
    const ticket = await lockTicket(tx, actor, id)
    if (!isRequester(actor, ticket)) throw new Forbidden('not_yours', 'Only its requester can rate a ticket.')
    const rated = await rateTicket(tx, actor, ticket, body)
    return record(await viewTicket(tx, actor, rated), rated.version)
  },
})

const page = {
  root: true,
  may: 'public',
  page: true,
  path: '/rate/:token',
  params: Closed({ token }),
  scope: ({ params, services }: { params: { token: string }; services: Services }) =>
    readRatingToken(services, params.token)?.workspaceId ?? null,
  replies: { 200: Type.String({ description: 'text/html' }), 404: Type.String(), 410: Type.String() },
} as const

const showSurveyRoute = streamRoute({
  ...page,
  method: 'GET',
  summary: 'The page behind the survey’s link; changes nothing',
  stream: async ({ params, services, inTx, request }) => {
    const holder = readRatingToken(services, params.token)
    const asked = holder && (await inTx((tx) => findAsked(tx, holder)))
    if (!asked) return invalidLinkPage(chooseLanguage(null, request.headers['accept-language']))
    const isOpen = isEnded(asked.ticket.status) && asked.ticket.satisfaction_rating === null
    return isOpen ? surveyPage(asked) : gonePage(asked)
  },
})

const sendSurveyRoute = streamRoute({
  ...page,
  method: 'POST',
  summary: 'Takes the form of that page: rating, 1 to 5, and comment',
  stream: async ({ params, body, services, inTx, request }) => {
    const fields = (body ?? {}) as Record<string, string>
    const holder = readRatingToken(services, params.token)
    const asked = holder && (await inTx((tx) => findAsked(tx, holder)))
    if (!asked) return invalidLinkPage(chooseLanguage(null, request.headers['accept-language']))
    const chosen = /^[1-5]$/.test(fields.rating ?? '') ? Number(fields.rating) : null
    if (!chosen) return surveyPage(asked, surveyTexts[asked.language].choose)
    try {
      const said = (fields.comment ?? '').slice(0, 5_000).replaceAll('\0', '')
      await inTx((tx) => rate(tx, holder, { rating: chosen, comment: said }))
    } catch (error) {
      if (error instanceof Gone || error instanceof Conflict) return gonePage(asked)
      throw error
    }
    const { thanksTitle, thanks } = surveyTexts[asked.language]
    return showPage({ ...frameOf(asked), title: thanksTitle, body: html`<p>${thanks}</p>` })
  },
})

export const satisfactionRoutes = [rateByTokenRoute, rateOwnRoute, showSurveyRoute, sendSurveyRoute]

interface Asked {
  ticket: Ticket
  workspace: string
  language: Language
}

async function rate(tx: Tx, holder: RatingHolder, input: Rating): Promise<void> {
  const ticket = await findRated(tx, holder)
  if (!ticket) throw expired()
  await rateTicket(tx, anonymous(tx.workspaceId), ticket, input)
}

async function findRated(tx: Tx, { ticketId }: RatingHolder): Promise<Ticket | undefined> {
  const { rows } = await sql<Ticket>`
    select * from support.tickets
    where workspace_id = ${tx.workspaceId}::uuid and id = ${ticketId}::uuid and deleted_at is null
    for no key update`.execute(tx.sql)
  return rows[0]
}

async function findAsked(tx: Tx, { ticketId }: RatingHolder): Promise<Asked | null> {
  const { rows } = await sql<Ticket>`
    select * from support.tickets
    where workspace_id = ${tx.workspaceId}::uuid and id = ${ticketId}::uuid and deleted_at is null`.execute(tx.sql)
  if (!rows[0]) return null
  const workspace = await getWorkspace(tx, tx.workspaceId)
  return { ticket: rows[0], workspace: workspace.name, language: chooseLanguage(rows[0].language, workspace.language) }
}

const frameOf = ({ language, workspace }: Asked) => ({ language, workspace })

function surveyPage(asked: Asked, hint: string | null = null) {
  const { title, question, scale, comment: label, send } = surveyTexts[asked.language]
  const choices = scale.map(
    (text, index) =>
      html`<p>
        <label><input type="radio" name="rating" value="${String(index + 1)}" required /> ${text}</label>
      </p>`,
  )
  const body = html`${hint ? html`<p role="alert">${hint}</p>` : null}
    <form method="post">
      <fieldset>
        <legend>${question(asked.ticket.ticket_number)}</legend>
        ${choices}
      </fieldset>
      <p>
        <label for="comment">${label}</label><br />
        <textarea id="comment" name="comment" rows="4" cols="40" maxlength="5000"></textarea>
      </p>
      <button>${send}</button>
    </form>`
  return showPage({ ...frameOf(asked), title, body })
}

function gonePage(asked: Asked) {
  const { goneTitle, gone } = surveyTexts[asked.language]
  return showPage({ ...frameOf(asked), title: goneTitle, body: html`<p>${gone}</p>` }, 410)
}

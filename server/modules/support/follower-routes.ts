/** Who follows a ticket: for those who work at the help desk. */
import { Type } from 'typebox'
import { route } from '#platform/http/route.ts'
import { Closed, Id, Problem, Timestamp } from '#platform/http/shapes.ts'
import { Invalid } from '#platform/errors.ts'
import { personOf } from './access.ts'
import { requireAgents } from './agents.ts'
import { addFollowers, listFollowers, removeFollower } from './followers.ts'
import { getTicket } from './tickets.ts'

const params = Closed({ id: Id })

const Followers = Type.Object({
  data: Type.Array(
    Type.Object({
      user_id: Id,
      name: Type.String(),
      was_called: Type.Boolean({ description: 'By a colleague: then an agent sees the ticket, whoever has it' }),
      followed_at: Timestamp,
    }),
  ),
})

const listFollowersRoute = route({
  method: 'GET',
  path: '/tickets/:id/followers',
  may: 'ticket.work',
  summary: 'Colleagues who follow a ticket',
  params,
  replies: { 200: Followers, 404: Problem },
  run: async ({ tx, actor, params: { id } }) => ({ data: await listFollowers(tx, await getTicket(tx, actor, id)) }),
})

const followRoute = route({
  method: 'POST',
  path: '/tickets/:id/followers',
  may: 'ticket.work',
  summary: 'Follow a ticket, or call a colleague into it',
  params,
  body: Closed({ user_id: Type.Optional(Type.String({ format: 'uuid', description: 'Oneself, unless named' })) }),
  replies: { 200: Followers, 404: Problem },
  run: async ({ tx, actor, params: { id }, body }) => {
    const ticket = await getTicket(tx, actor, id)
    const follower = body.user_id ?? personOf(actor)
    if (!follower) throw Invalid.at('/user_id', 'required', 'A key follows nothing itself: name a user_id.')
    await requireAgents(tx, [follower], '/user_id')
    await addFollowers(tx, actor, ticket, [follower.toLowerCase()])
    return { data: await listFollowers(tx, ticket) }
  },
})

const unfollowRoute = route({
  method: 'DELETE',
  path: '/tickets/:id/followers/:user_id',
  may: 'ticket.work',
  summary: 'Follow a ticket no more, or let a colleague go',
  params: Closed({ id: Id, user_id: Id }),
  replies: { 200: Followers, 404: Problem },
  run: async ({ tx, actor, params: { id, user_id } }) => {
    const ticket = await getTicket(tx, actor, id)
    await removeFollower(tx, ticket, user_id)
    return { data: await listFollowers(tx, ticket) }
  },
})

export const followerRoutes = [listFollowersRoute, followRoute, unfollowRoute]

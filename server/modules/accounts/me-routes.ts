/** Doors: one's profile, password and second factor. */
import { Type } from 'typebox'
import { Invalid } from '#platform/errors.ts'
import { verifyPassword } from '#platform/crypto/passwords.ts'
import { record, route, streamRoute } from '#platform/http/route.ts'
import { Closed, OneOf, Problem, Text } from '#platform/http/shapes.ts'
import { countAttempt, forgiveAttempts } from './attempts.ts'
import { noticeJob } from './background.ts'
import { changePassword, confirmReset, requestReset } from './passwords.ts'
import {
  CodeShape,
  FullName,
  GivenPassword,
  LanguageShape,
  MeView,
  TimezoneShape,
  TokenShape,
  viewMe,
} from './shapes.ts'
import { confirmTwoFactor, disableTwoFactor, prepareTwoFactor, useSecondFactor } from './two-factor.ts'
import { changeProfile, getUser, personOf } from './users.ts'

const showMe = route({
  method: 'GET',
  path: '/me',
  may: 'signed in',
  summary: 'One’s own profile',
  replies: { 200: MeView },
  run: async ({ tx, actor }) => {
    const user = await getUser(tx, personOf(actor))
    return record(viewMe(user), user.version)
  },
})

const changeMe = route({
  method: 'PATCH',
  path: '/me',
  may: 'signed in',
  summary: 'Change one’s name, language, time zone or theme',
  body: Closed({
    full_name: Type.Optional(FullName),
    language: Type.Optional(LanguageShape),
    timezone: Type.Optional(Type.Union([TimezoneShape, Type.Null()])),
    theme: Type.Optional(OneOf(['light', 'dark', 'auto'])),
  }),
  replies: { 200: MeView, 412: Problem },
  run: async ({ tx, actor, body, ifVersion }) => {
    const user = await changeProfile(tx, actor, body, ifVersion)
    return record(viewMe(user), user.version)
  },
})

const changeOwnPassword = streamRoute({
  method: 'POST',
  path: '/me/password',
  may: 'signed in',
  summary: 'Change one’s password; all other sessions end',
  body: Closed({ current_password: GivenPassword, new_password: GivenPassword }),
  replies: { 204: Type.Null() },
  stream: async ({ runtime, actor, identity, body, ip, userAgent }) => {
    const who = { userId: personOf(actor), workspaceId: actor.workspaceId, sessionId: identity.session?.id }
    await changePassword(runtime, { ip, userAgent }, who, body)
  },
})

const askForReset = streamRoute({
  method: 'POST',
  path: '/password-resets',
  may: 'public',
  summary: 'Ask for a link to choose a new password; the answer is the same for every address',
  rate: '20/minute',
  body: Closed({ email: Text(254, { minLength: 3 }) }),
  replies: { 202: Type.Object({ message: Type.String() }) },
  stream: async ({ runtime, body, ip, userAgent }) => {
    await requestReset(runtime, { ip, userAgent }, body.email)
    return { message: 'If somebody has this address here, a mail with a link is on its way.' }
  },
})

const confirmResetRoute = streamRoute({
  method: 'POST',
  path: '/password-resets/confirm',
  may: 'public',
  summary: 'Choose a new password with the token of the mail; every session ends, the second factor stays',
  rate: '20/minute',
  body: Closed({ token: TokenShape, new_password: GivenPassword }),
  replies: { 204: Type.Null() },
  stream: async ({ runtime, body, ip, userAgent }) => confirmReset(runtime, { ip, userAgent }, body),
})

// The three below are without Idempotency-Key: its stored answers would keep secrets that are shown once.
const prepare = streamRoute({
  method: 'POST',
  path: '/me/two-factor',
  may: 'signed in',
  summary: 'Get a secret for the authenticator app; it counts once a code of it is confirmed',
  replies: { 200: Type.Object({ secret: Type.String(), otpauth_url: Type.String() }), 409: Problem },
  stream: async ({ inTx, runtime, actor }) =>
    inTx((tx) => prepareTwoFactor(tx, runtime, { id: personOf(actor), email: actor.email ?? actor.name })),
})

const confirm = streamRoute({
  method: 'POST',
  path: '/me/two-factor/confirm',
  may: 'signed in',
  summary: 'Switch the second factor on with a code of the app; answers the recovery codes, once',
  body: Closed({ code: CodeShape }),
  replies: { 200: Type.Object({ recovery_codes: Type.Array(Type.String()) }), 409: Problem },
  stream: async ({ inTx, runtime, actor, body, ip, userAgent }) => {
    const userId = personOf(actor)
    await countAttempt(runtime.limits, `two-factor:${userId}`, ip)
    const codes = await inTx(async (tx) => {
      const made = await confirmTwoFactor(tx, runtime, userId, body.code)
      await noticeJob.enqueue(tx, { notice: 'two_factor_on', user_id: userId, ip, userAgent })
      return made
    })
    return { recovery_codes: codes }
  },
})

const disable = streamRoute({
  method: 'POST',
  path: '/me/two-factor/disable',
  may: 'signed in',
  summary: 'Switch the second factor off: needs the password and a code',
  body: Closed({ password: GivenPassword, code: CodeShape }),
  replies: { 204: Type.Null() },
  stream: async ({ inTx, runtime, actor, body, ip, userAgent }) => {
    const userId = personOf(actor)
    await countAttempt(runtime.limits, `two-factor:${userId}`, ip)
    const user = await inTx((tx) => getUser(tx, userId))
    if (!(await verifyPassword(user.password_hash, body.password))) {
      throw Invalid.at('/password', 'wrong_password', 'This is not your password.')
    }
    // A wrong code must not be rolled back into an unused one, nor a right one into a second try.
    const isRight = await inTx((tx) => useSecondFactor(tx, runtime, userId, body.code))
    if (!isRight) throw Invalid.at('/code', 'wrong_code', 'This code is not right, or it was used already.')
    await inTx(async (tx) => {
      await disableTwoFactor(tx, userId)
      await noticeJob.enqueue(tx, { notice: 'two_factor_off', user_id: userId, ip, userAgent })
    })
    await forgiveAttempts(runtime.limits, `two-factor:${userId}`)
  },
})

export const meRoutes = [showMe, changeMe, changeOwnPassword, askForReset, confirmResetRoute, prepare, confirm, disable]

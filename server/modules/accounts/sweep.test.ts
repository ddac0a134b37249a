import { expect, test } from 'vitest'
import { givePassword, openBrowser } from '#testing/browser.ts'
import { changeTime } from '#testing/change-time.ts'
import { start, type TestApp } from '#testing/start.ts'
import { accounts } from './module.ts'

test('what lets nobody in any more is removed, what does stays', async () => {
  await using app = await start()
  await givePassword(app, app.world.people.maria, 'seven green bicycles')
  await openBrowser(app).signIn('maria@moulin.example', 'seven green bicycles')
  await app.anonymous.post('/password-resets', { email: 'maria@moulin.example' })
  await app.drain()
  await sweep(app)
  expect(await countRows(app)).toEqual({ sessions: 1, resets: 1 })
  await changeTime(app, '8 days')
  await sweep(app)
  expect(await countRows(app)).toEqual({ sessions: 0, resets: 0 })
})

async function sweep(app: TestApp): Promise<void> {
  const task = accounts.schedule?.find(({ name }) => name === 'accounts.sweep')
  await task?.run(app.app.runtime)
}

async function countRows(app: TestApp): Promise<unknown> {
  const { rows } = await app.inTx((tx) =>
    tx.rawQuery(`select (select count(*) from accounts.sessions) as sessions,
      (select count(*) from accounts.password_resets) as resets`),
  )
  return rows[0]
}

/** Lets time pass for what people have in hand: moves the stored times back instead of waiting. */
import pg from 'pg'
import type { TestApp } from './start.ts'

export async function changeTime(app: TestApp, interval: string): Promise<void> {
  const owner = new pg.Client({ connectionString: app.databaseUrl })
  await owner.connect()
  const back = `- interval '${interval}'`
  await owner.query(`
    update accounts.sessions set created_at = created_at ${back}, last_seen_at = last_seen_at ${back},
      expires_at = expires_at ${back};
    update accounts.password_resets set expires_at = expires_at ${back};
    update accounts.invitations set expires_at = expires_at ${back};
    update accounts.api_keys set expires_at = expires_at ${back};
    update communication.deliveries set handed_over_at = handed_over_at ${back}, sent_at = sent_at ${back}`)
  await owner.end()
}

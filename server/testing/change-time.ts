/** Lets time pass for what people have in hand: moves the stored times back instead of waiting. */
import type { TestApp } from './start.ts'

export async function changeTime(app: TestApp, interval: string): Promise<void> {
  await app.inTx(async (tx) => {
    const back = `- interval '${interval}'`
    await tx.rawQuery(`update accounts.sessions set created_at = created_at ${back},
      last_seen_at = last_seen_at ${back}, expires_at = expires_at ${back}`)
    await tx.rawQuery(`update accounts.invitations set expires_at = expires_at ${back}`)
    await tx.rawQuery(`update accounts.api_keys set expires_at = expires_at ${back}`)
  })
}

// The sandbox transport: nothing leaves the house. The message is built as for the real one, signature included, and kept.
import { buildMail } from './build.ts'
import type { Envelope, MailTransport, OutgoingMail } from './mail.ts'

export type StoreMail = (raw: Buffer, envelope: Envelope, message: OutgoingMail) => Promise<void>

/** `store` keeps the raw message, filed by what the mail says of itself; its failures are the sender's, so they are passed on. */
export function createSandboxTransport(store: StoreMail): MailTransport {
  return {
    async send(message) {
      const { raw, envelope } = await buildMail(message)
      await store(raw, envelope, message)
      return { outcome: 'sent', response: '250 2.0.0 kept in the sandbox' }
    },
    verify: () => Promise.resolve({ ok: true }),
    close: () => Promise.resolve(),
  }
}

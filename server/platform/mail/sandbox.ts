// The sandbox transport: nothing leaves the house. The message is built as for the real one, signature included, and kept.
import { buildMail } from './build.ts'
import type { Envelope, MailTransport } from './mail.ts'

export type StoreMail = (raw: Buffer, envelope: Envelope) => Promise<void>

/** `store` keeps the raw message; its failures are the sender's, so they are passed on. */
export function createSandboxTransport(store: StoreMail): MailTransport {
  return {
    async send(message) {
      const { raw, envelope } = await buildMail(message)
      await store(raw, envelope)
      return { outcome: 'sent', response: '250 2.0.0 kept in the sandbox' }
    },
    verify: () => Promise.resolve({ ok: true }),
    close: () => Promise.resolve(),
  }
}

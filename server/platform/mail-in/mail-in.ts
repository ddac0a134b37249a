/** The handling of received mail, and before it the doors that are configured. */
import type { Worker } from '../module.ts'
import type { Runtime } from '../services.ts'
import type { MailHandler } from './handler.ts'
import { createMailHandling } from './handling.ts'
import { createImapDoor } from './imap-door.ts'

/** Several copies may do this at once: each mail is handled by one of them. */
export async function createMailIn(runtime: Runtime, handlers: readonly MailHandler[]): Promise<Worker[]> {
  const { smtp, imap, sizeBytesMax } = runtime.config.mailIn
  const handling = createMailHandling(runtime, handlers)
  const workers: Worker[] = [handling]
  if (smtp) {
    const { createSmtpDoor } = await import('./smtp-door.ts')
    const name = new URL(runtime.publicUrl).hostname
    workers.push(createSmtpDoor(runtime, { ...smtp, name, sizeBytesMax }, handling.wake))
  }
  if (imap) {
    const { openImapBox, parseImapUrl } = await import('./imap-box.ts')
    const account = parseImapUrl(imap.url)
    const open = () => openImapBox(account)
    workers.push(createImapDoor(runtime, { open, pollMs: imap.pollMs, sizeBytesMax }, handling.wake))
  }
  return workers
}

/** What a module writes to take part in handling received mail. */
import type { Tx } from '../db/db.ts'
import type { Services } from '../services.ts'
import type { Destination } from './addresses.ts'
import type { MailKind } from './kind.ts'
import type { ReceivedMail } from './read-mail.ts'

/** Whether the domain of From vouches for the mail; `none`: it says nothing, or nobody could ask. */
export type SenderVerdict = 'pass' | 'fail' | 'none'

export interface InboundMail extends ReceivedMail {
  id: string
  receivedAt: Date
  kind: MailKind
  /** '' is the null sender; null where the door does not know it. */
  envelopeFrom: string | null
  /** Those of our addresses that it was sent to, all of this workspace. */
  destinations: Destination[]
  sender: SenderVerdict
}

/** `handled` and `ignored` end the mail, with a word for the list (`ticket_opened`); null leaves it to the next module. */
export type Handled = { state: 'handled' | 'ignored'; outcome: string } | null

export interface MailHandler {
  /** Names it in the log: `support.tickets`. */
  name: string
  /**
   * Several mails of one workspace in the order in which they came, answered in that order. Runs again after a failure, each
   * time in a new transaction, at last with each mail alone: files are put under keys made from the mail's id.
   */
  handle(tx: Tx, mails: readonly InboundMail[], services: Services): Promise<Handled[]>
}

/** For handlers that have nothing to gain from several at once. */
export function oneByOne(
  handle: (tx: Tx, mail: InboundMail, services: Services) => Promise<Handled>,
): MailHandler['handle'] {
  return async (tx, mails, services) => {
    const handled: Handled[] = []
    for (const mail of mails) handled.push(await handle(tx, mail, services))
    return handled
  }
}

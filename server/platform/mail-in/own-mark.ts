/** The mark that mails carry which this installation writes by itself: whoever sends one back shows where it came from. */
import type { Services } from '../services.ts'

/** For `X-Loop`; the same for all copies with one key, and nothing that leads to it. */
export function ownMark({ tokens }: Pick<Services, 'tokens'>): string {
  return `rapport-${tokens.fingerprint('mail.loop', 'mark').toString('hex').slice(0, 16)}`
}

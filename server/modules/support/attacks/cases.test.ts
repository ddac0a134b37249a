/**
 * The fifty attacks on help desks that this program is built against, by number: tests here begin with the number of what they
 * try. What is shown where its guard lives is listed, and a name that is gone from there fails.
 */
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'

const server = path.join(import.meta.dirname, '../../..')

/** Number, file, and how the test’s name begins. */
const elsewhere: [number, string, string][] = [
  [5, 'modules/support/public/public-tickets.test.ts', 'a token ends with its ticket'],
  [6, 'modules/support/public/public-tickets.test.ts', 'missing, wrong and foreign look the same'],
  [6, 'platform/crypto/secrets.test.ts', 'secrets compare by value, whatever their lengths'],
  [7, 'modules/accounts/attempts.test.ts', 'guesses from all addresses of one IPv6 network'],
  [8, 'modules/support/public/public-tickets.test.ts', 'what a stranger types is not more than it is'],
  [9, 'modules/support/public/public-tickets.test.ts', 'without an account: opened, read and answered by its token'],
  [10, 'modules/support/satisfaction/satisfaction.test.ts', 'the link is good for one rating'],
  [10, 'modules/support/satisfaction/satisfaction.test.ts', 'forged, foreign and early: no'],
  [11, 'modules/accounts/isolation.test.ts', 'with the ids of another workspace, every door answers as if'],
  [12, 'modules/accounts/members.test.ts', 'a role, a workspace or an id slipped into another change'],
  [13, 'modules/support/tickets.test.ts', 'everybody sees what is theirs to see'],
  [14, 'platform/live/live.test.ts', 'each workspace hears its own'],
  [15, 'modules/support/mail/mail.test.ts', 'an agent\\u2019s address gives nobody an agent'],
  [15, 'modules/accounts/sessions.test.ts', 'a role that changes counts from the next request on'],
  [16, 'modules/accounts/setup.test.ts', 'the door closes for good, however many knock at once'],
  [17, 'modules/accounts/tokens.test.ts', 'a token with somebody’s address does not open that somebody’s account'],
  [18, 'modules/accounts/passwords.test.ts', 'a reset link works once'],
  [18, 'modules/accounts/passwords.test.ts', 'a reset link is worth nothing when'],
  [18, 'modules/accounts/invitations.test.ts', 'a link is worth nothing when'],
  [18, 'modules/accounts/invitations.test.ts', 'tokens of one purpose are refused for every other'],
  [19, 'modules/accounts/sign-in.test.ts', 'an unknown address costs the same work as a wrong password'],
  [19, 'modules/accounts/passwords.test.ts', 'the answer tells nobody who has an account'],
  [20, 'modules/accounts/api-keys.test.ts', 'a key is shown once, works at once, and is kept as a hash'],
  [20, 'platform/crypto/secrets.test.ts', 'random keys use every character about equally'],
  [21, 'platform/mail-in/sender.test.ts', 'a server of ours in front is believed, and only what it wrote'],
  [21, 'platform/mail-in/address-token.test.ts', 'are nothing for another use, workspace or key'],
  [21, 'modules/support/mail/mail.test.ts', 'an agent\\u2019s address gives nobody an agent'],
  [22, 'modules/support/mail/mail.test.ts', 'of somebody else opens a ticket of their own'],
  [23, 'platform/mail-in/mail-in.test.ts', 'From with %s'],
  [24, 'modules/support/mail/mail.test.ts', 'one that answers everything, under no sign at all'],
  [24, 'platform/mail-in/kind.test.ts', 'the corpus is large enough'],
  [25, 'platform/mail-in/mail-in.test.ts', 'the same mail is one, also many times at once'],
  [25, 'platform/mail-in/mail-in.test.ts', 'without an id, the words decide'],
  [26, 'modules/support/mail/mail.test.ts', 'never by its subject'],
  [27, 'platform/mail-in/mail-in.test.ts', '%s: quarantine, at once'],
  [27, 'platform/mail-in/mail-in.test.ts', 'ten thousand references are a mail like others'],
  [27, 'platform/mail-in/mail-in.test.ts', 'what is too large is refused'],
  [28, 'platform/mail-in/mail-in.test.ts', 'lines that end in a bare line feed smuggle no second mail'],
  [28, 'platform/mail/notice.test.ts', 'a line break in the subject never becomes a header'],
  [30, 'platform/mail-in/mail-in.test.ts', 'a mail that always fails goes into quarantine'],
  [36, 'modules/support/attachments.test.ts', 'what a scanner condemns is not kept'],
  [36, 'platform/files/files.test.ts', 'a signed link opens one file under one name'],
  [37, 'modules/support/attachments.test.ts', 'what belongs to an internal note is the house'],
  [39, 'platform/tables-out/tables-out.test.ts', '%j goes out behind an apostrophe'],
  [40, 'modules/support/canned/canned.test.ts', 'whatever the text, it is refused or re'],
  [41, 'platform/outbound/outbound.test.ts', 'a name with one private address among public ones'],
  [41, 'platform/outbound/outbound.test.ts', 'posts and reads, without following redirects'],
  [41, 'modules/accounts/tokens.test.ts', 'keys that a token brings along, or points to'],
  [43, 'platform/http/input.test.ts', 'addresses, parameters, cursors a'],
  [44, 'platform/http/headers.test.ts', 'limits count by address behind a trusted proxy only'],
  [45, 'modules/communication/tracking.test.ts', 'nobody can make a link lead elsewhere'],
  [46, 'modules/support/tickets.test.ts', 'fifty at once get fifty numbers'],
  [46, 'modules/support/joining/presence.test.ts', 'an answer that says what its author has seen'],
  [47, 'modules/support/upkeep/upkeep.test.ts', 'a customer who writes while tickets are being closed is heard'],
  [47, 'modules/support/upkeep/upkeep.test.ts', 'written and closed at the same moment'],
  [48, 'modules/support/upkeep/upkeep.test.ts', 'an urgent ticket without an answer escalates'],
  [48, 'modules/support/assignment/assigning.test.ts', 'whoever gives out tickets does it alone'],
  [49, 'modules/accounts/isolation.test.ts', 'with a session, no change is made for another site’s page'],
  [50, 'modules/privacy/erasure.test.ts', 'nobody writes to the person again, and whoever asks again'],
  [50, 'modules/privacy/export.test.ts', 'a copy goes after its time, and with the person'],
]

const names = (file: string): string[] => {
  const text = readFileSync(file, 'utf8')
  return [...text.matchAll(/(?:\btest|\))\(\s*(['"`])((?:\\.|(?!\1)[^\n])*)\1/g)].map((match) => match[2]!)
}

test('each of the fifty cases has a test of its own', () => {
  const here = readdirSync(import.meta.dirname).filter((file) => file.endsWith('.test.ts') && file !== 'cases.test.ts')
  const tried = here.flatMap((file) => names(path.join(import.meta.dirname, file)))
  const numbers = tried.flatMap((name) => /^(\d+(?:, \d+)*): /.exec(name)?.[1]?.split(', ').map(Number) ?? [])
  const unnumbered = tried.filter((name) => !/^\d+(, \d+)*: /.test(name))
  expect(unnumbered, 'begin the name with the number of the case').toEqual([])
  const shown = new Set([...numbers, ...elsewhere.map(([number]) => number)])
  const all = Array.from({ length: 50 }, (_, at) => at + 1)
  expect(all.filter((number) => !shown.has(number))).toEqual([])
  expect([...shown].filter((number) => !all.includes(number))).toEqual([])
})

test.each(elsewhere)('case %i is still shown by %s: %s', (_, file, beginning) => {
  expect(names(path.join(server, file)).some((name) => name.startsWith(beginning))).toBe(true)
})

import { expect, test } from 'vitest'
import { judgeHits, judgeRequest, isOpeningProxy, type Hit, type MachineReason } from './machine.ts'

const chrome =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36'
const iphone =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148'
const gmail = 'Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)'

test.each<[string, string, MachineReason | null]>([
  ['GET', chrome, null],
  ['GET', iphone, null],
  ['GET', gmail, null],
  ['GET', 'YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html', null],
  ['GET', 'Mozilla/4.0 (compatible; ms-office; MSOffice 16)', null],
  ['GET', 'Outlook-iOS/709.2226530.prod.iphone (3.24.1)', null],
  ['GET', 'Thunderbird/128.0', null],
  ['HEAD', chrome, 'head'],
  ['GET', '', 'no_agent'],
  ['GET', '  ', 'no_agent'],
  ['GET', 'Mozilla/5.0', 'apple_proxy'],
  ['GET', 'BarracudaCentral/1.0', 'scanner'],
  ['GET', 'Microsoft Office Existence Discovery', 'scanner'],
  ['GET', 'Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)', 'scanner'],
  ['GET', 'Mozilla/5.0 (compatible; Googlebot/2.1)', 'scanner'],
  ['GET', 'Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)', 'scanner'],
  ['GET', 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/140.0', 'scanner'],
  ['GET', 'Mimecast URL Protect', 'scanner'],
  ['GET', 'WhatsApp/2.24.1 A', 'scanner'],
])('%s by "%s": %s', (method, userAgent, reason) => {
  expect(judgeRequest({ method, userAgent })).toBe(reason)
})

const givenAt = new Date('2026-11-21T08:00:00Z')
function hit(kind: 'open' | 'click', afterMs: number, more: Partial<Hit> = {}): Hit {
  return {
    kind,
    at: new Date(givenAt.getTime() + afterMs),
    machine: null,
    proxy: false,
    number: kind === 'click' ? 0 : null,
    ...more,
  }
}

test.each<[string, Hit[], number, (MachineReason | null)[]]>([
  ['an open at once, and one later', [hit('open', 500), hit('open', 60_000)], 1, ['too_soon', null]],
  ['an open before the hand-over', [hit('open', -500)], 1, ['too_soon']],
  [
    'a proxy that fetches ahead',
    [hit('open', 5_000, { proxy: true }), hit('open', 60_000, { proxy: true })],
    1,
    ['too_soon', null],
  ],
  ['a click at once, and one later', [hit('click', 1_500), hit('click', 60_000)], 3, ['too_soon', null]],
  ['a double click', [hit('click', 60_000), hit('click', 60_200)], 1, [null, null]],
  ['both links of two', [hit('click', 60_000), hit('click', 60_900, { number: 1 })], 2, ['all_links', 'all_links']],
  ['two links of five', [hit('click', 60_000), hit('click', 60_900, { number: 1 })], 5, [null, null]],
  [
    'three links of five',
    [0, 1, 2].map((number) => hit('click', 60_000 + number * 300, { number })),
    5,
    ['all_links', 'all_links', 'all_links'],
  ],
  [
    'all links, with time to read',
    [0, 1, 2].map((number) => hit('click', 60_000 * (number + 1), { number })),
    3,
    [null, null, null],
  ],
  ['what gave itself away', [hit('click', 60_000, { machine: 'scanner' })], 3, ['scanner']],
])('%s', (_name, hits, links, reasons) => expect(judgeHits(hits, givenAt, links)).toEqual(reasons))

test('a mail that was never handed over is read by nobody', () => {
  expect(judgeHits([hit('open', 60_000)], null, 1)).toEqual(['too_soon'])
  expect(isOpeningProxy(gmail)).toBe(true)
  expect(isOpeningProxy(chrome)).toBe(false)
})

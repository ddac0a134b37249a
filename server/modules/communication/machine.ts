/**
 * Tells machines from people in what comes back: pure rules, in one place. Machines are kept apart, never thrown away,
 * and a person who comes later still counts.
 */

export type MachineReason = 'head' | 'no_agent' | 'scanner' | 'apple_proxy' | 'too_soon' | 'all_links'

export interface Request {
  method: string
  userAgent: string
}

/** Opens sooner after the hand-over than anybody reads; milliseconds. */
export const openTooSoonMs = 1_000
export const clickTooSoonMs = 2_000
/** Gmail's and Yahoo's proxies fetch a picture when a person opens the mail, but some also ahead of it. */
export const proxyTooSoonMs = 10_000
/** Several links within this time are followed by a scanner; milliseconds. */
export const burstMs = 2_000

// Products that look into mail or links for somebody's safety, and bots that name themselves. The name of a mere HTTP
// library proves nothing; what such a client does, and when, tells more.
const scanners = new RegExp(
  [
    'barracuda',
    'proofpoint',
    'mimecast',
    'messagelabs',
    'symantec',
    'forcepoint',
    'websense',
    'fireeye',
    'trellix',
    'mcafee',
    'trend ?micro',
    'sophos',
    'zscaler',
    'ironport',
    'bitdefender',
    'kaspersky',
    'checkpoint',
    'fortinet',
    'fortimail',
    'vadesecure',
    'cloudmark',
    'safelinks',
    'urldefense',
    'existence discovery',
    'appriver',
    'avanan',
    'spamtitan',
    'cyren',
    'phishtank',
    'virustotal',
    'urlscan',
    'google-safety',
    'googlesafety',
    'bot\\b',
    'bot/',
    'crawler',
    'spider',
    'scanner',
    'headless',
    'phantomjs',
    'slurp',
    'facebookexternalhit',
    'whatsapp/',
    'skypeuripreview',
    'linkpreview',
    'bingpreview',
    'slack-imgproxy',
  ].join('|'),
  'i',
)
const openingProxies = /GoogleImageProxy|YahooMailProxy/i

/** What the request alone gives away. */
export function judgeRequest({ method, userAgent }: Request): MachineReason | null {
  if (method === 'HEAD') return 'head'
  const agent = userAgent.trim()
  if (agent === '') return 'no_agent'
  // Apple's privacy proxy loads every picture of every mail, read or not, and calls itself only this.
  if (agent === 'Mozilla/5.0') return 'apple_proxy'
  return !openingProxies.test(agent) && scanners.test(agent) ? 'scanner' : null
}

/** Whether the request came through a proxy that fetches for a person. */
export function isOpeningProxy(userAgent: string): boolean {
  return openingProxies.test(userAgent)
}

export interface Hit {
  kind: 'open' | 'click'
  at: Date
  /** From the request alone. */
  machine: MachineReason | null
  proxy: boolean
  /** The link, for a click. */
  number: number | null
}

/** What the hits of one delivery tell together: the reason for each, in their order. */
export function judgeHits(hits: Hit[], givenAt: Date | null, linksInMail: number): (MachineReason | null)[] {
  return hits.map((hit) => hit.machine ?? judgeTime(hit, givenAt) ?? judgeBurst(hit, hits, linksInMail))
}

function judgeTime(hit: Hit, givenAt: Date | null): MachineReason | null {
  if (!givenAt) return 'too_soon'
  const soonMs = hit.kind === 'click' ? clickTooSoonMs : hit.proxy ? proxyTooSoonMs : openTooSoonMs
  return hit.at.getTime() - givenAt.getTime() < soonMs ? 'too_soon' : null
}

/** A person does not follow three links, or all of them, in two seconds. */
function judgeBurst(hit: Hit, hits: Hit[], linksInMail: number): MachineReason | null {
  if (hit.kind !== 'click' || hit.number === null) return null
  const near = hits.filter(
    (other) => other.number !== null && Math.abs(other.at.getTime() - hit.at.getTime()) <= burstMs,
  )
  const links = new Set(near.map((other) => other.number)).size
  return links >= 3 || (links >= 2 && links >= linksInMail) ? 'all_links' : null
}

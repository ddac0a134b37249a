// Which addresses a request that somebody else has named may reach: public ones only. The judgement is made on the
// address that is really connected to, in the connection's own lookup, so a name that changes between check and use
// (DNS rebinding) gains nothing.
import { lookup as systemLookup, type LookupAddress } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { callbackify } from 'node:util'
import ipaddr from 'ipaddr.js'

export type AddressGuard = {
  /** The reason against a host that is a literal address (with or without brackets), or null: then `lookup` decides. */
  checkHost(hostname: string): string | null
  /** For `net.connect` and `tls.connect`: fails when any of the name's addresses is not public. */
  lookup: LookupFunction
}

export type AddressGuardOptions = {
  /** For development and tests: lets 127.0.0.0/8 and ::1 through, nothing else. */
  allowLoopback?: boolean
  resolve?: (hostname: string) => Promise<LookupAddress[]>
}

/** Marks refusals, so that callers tell them from other connection errors. */
export class AddressRefused extends Error {
  override name = 'AddressRefused'
  readonly code = 'ERR_ADDRESS_REFUSED'
}

/** A guard; without options it lets nothing but public addresses through. */
export function createAddressGuard(options: AddressGuardOptions = {}): AddressGuard {
  const { allowLoopback = false, resolve = resolveBySystem } = options

  function isAllowed(address: string): boolean {
    return isPublicAddress(address) || (allowLoopback && isLoopbackAddress(address))
  }

  /** One private address among public ones is reason enough: which of them is taken would be chance. */
  async function judge(hostname: string): Promise<LookupAddress[]> {
    const addresses = await resolve(hostname)
    if (addresses.every(({ address }) => isAllowed(address))) return addresses
    throw new AddressRefused('this name does not lead to public addresses')
  }

  return {
    checkHost(hostname) {
      const literal = hostname.replace(/^\[|\]$/g, '')
      return isIP(literal) && !isAllowed(literal) ? 'this address is not public' : null
    },
    lookup(hostname, lookupOptions, callback) {
      callbackify(judge)(hostname, (error, addresses) => {
        const wanted = error
          ? []
          : addresses.filter(({ family }) => !lookupOptions.family || family === lookupOptions.family)
        const [first] = wanted
        if (!first) callback(error ?? new AddressRefused('this name has no address of that kind'), '')
        else if (lookupOptions.all) callback(null, wanted)
        else callback(null, first.address, first.family)
      })
    },
  }
}

// 6to4, Teredo, NAT64 and mapped addresses carry an IPv4 address inside, and what a gateway makes of it is not ours to
// know: of IPv6 only plain global unicast passes, whatever ipaddr.js calls the rest.
const GLOBAL_UNICAST = ipaddr.parseCIDR('2000::/3')
// Public by number, but the host's own control service in Azure.
const NOT_FOR_GUESTS = new Set(['168.63.129.16'])

/** Whether an IP address (no name, no port) belongs to the public internet. */
export function isPublicAddress(text: string): boolean {
  if (!isIP(text) || NOT_FOR_GUESTS.has(text)) return false
  const address = ipaddr.parse(text)
  if (address.range() !== 'unicast') return false
  return address.kind() === 'ipv4' || address.match(GLOBAL_UNICAST)
}

function isLoopbackAddress(text: string): boolean {
  return isIP(text) !== 0 && ipaddr.process(text).range() === 'loopback'
}

function resolveBySystem(hostname: string): Promise<LookupAddress[]> {
  return new Promise((resolve, reject) => {
    systemLookup(hostname, { all: true }, (error, addresses) => (error ? reject(error) : resolve(addresses)))
  })
}

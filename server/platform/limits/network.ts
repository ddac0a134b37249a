/** For counting: an IPv6 network as one, since whoever has one address of it has them all. */
import ipaddr from 'ipaddr.js'

export function networkOf(ip: string): string {
  if (!ipaddr.isValid(ip)) return ip
  const address = ipaddr.process(ip) // IPv4 in IPv6's clothes is IPv4
  return address.kind() === 'ipv4'
    ? address.toString()
    : `${ipaddr.IPv6.networkAddressFromCIDR(`${address.toString()}/64`).toString()}/64`
}

/** Addresses that carry a signed id. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createTokens } from '../crypto/tokens.ts'
import {
  addressWithToken,
  mailToken,
  messageIdWithToken,
  openMailToken,
  splitAddress,
  tokensInMessageIds,
} from './address-token.ts'

const keys = { tokens: createTokens(Buffer.alloc(32, 7)) }
const otherKeys = { tokens: createTokens(Buffer.alloc(32, 8)) }
const workspace = '01890c1a-0000-7000-8000-000000000001'

describe('tokens in addresses', () => {
  test('open to the id that was signed, whatever the case that the address came back in', () => {
    fc.assert(
      fc.property(fc.uuid({ version: 7 }), (id) => {
        const address = addressWithToken('aide@moulin.example', mailToken(keys, 'ticket', workspace, id))!
        const { address: plain, tag } = splitAddress(address.toUpperCase())
        expect(plain).toBe('aide@moulin.example')
        expect(openMailToken(keys, 'ticket', workspace, tag!)).toBe(id)
      }),
    )
  })

  test('are nothing for another use, workspace or key, nor with one character changed', () => {
    fc.assert(
      fc.property(fc.uuid({ version: 7 }), fc.nat(41), fc.stringMatching(/^[a-z2-7]$/), (id, at, sign) => {
        const token = mailToken(keys, 'ticket', workspace, id)
        expect(openMailToken(keys, 'delivery', workspace, token)).toBeNull()
        expect(openMailToken(keys, 'ticket', '01890c1a-0000-7000-8000-000000000002', token)).toBeNull()
        expect(openMailToken(otherKeys, 'ticket', workspace, token)).toBeNull()
        const changed = token.slice(0, at) + sign + token.slice(at + 1)
        const opened = openMailToken(keys, 'ticket', workspace, changed)
        // The last character has bits to spare: another spelling of it is the same token.
        if (changed !== token && at < 41) expect(opened).toBeNull()
      }),
    )
  })

  test('whatever else stands there is no token', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (text) => openMailToken(keys, 'ticket', workspace, text) === null),
    )
  })

  test('a local part never becomes longer than mail allows', () => {
    const token = mailToken(keys, 'ticket', workspace, workspace)
    expect(addressWithToken(`${'a'.repeat(21)}@x.example`, token)).toHaveLength(64 + '@x.example'.length)
    expect(addressWithToken(`${'a'.repeat(22)}@x.example`, token)).toBeNull()
  })

  test('message ids carry them back', () => {
    const token = mailToken(keys, 'ticket', workspace, workspace)
    const id = messageIdWithToken(token, workspace, 'moulin.example')
    expect(tokensInMessageIds(['<a@b.example>', id, id])).toEqual([token])
  })
})

/** What a request costs where time could tell something: statements to the database, and hashes that are computed and compared. */
import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import pg from 'pg'

export interface Work {
  statements: string[]
  hashes: number
  comparisons: number
}

/** Counts in the whole process: let nothing else run meanwhile. */
export async function countWork(run: () => Promise<unknown>): Promise<Work> {
  const work: Work = { statements: [], hashes: 0, comparisons: 0 }
  const { query } = pg.Client.prototype
  const { createHash, createHmac, timingSafeEqual } = crypto
  const counted = <Made>(make: Made, name: 'hashes' | 'comparisons'): Made =>
    ((...given: unknown[]) => {
      work[name]++
      return (make as (...all: unknown[]) => unknown)(...given)
    }) as Made
  pg.Client.prototype.query = function (this: pg.Client, ...given: unknown[]) {
    const [asked] = given as [string | { text: string }]
    work.statements.push((typeof asked === 'string' ? asked : asked.text).replaceAll(/\s+/g, ' ').slice(0, 100))
    return Reflect.apply(query, this, given)
  } as typeof query
  Object.assign(crypto, {
    createHash: counted(createHash, 'hashes'),
    createHmac: counted(createHmac, 'hashes'),
    timingSafeEqual: counted(timingSafeEqual, 'comparisons'),
  })
  syncBuiltinESMExports()
  try {
    await run()
  } finally {
    pg.Client.prototype.query = query
    Object.assign(crypto, { createHash, createHmac, timingSafeEqual })
    syncBuiltinESMExports()
  }
  return work
}

/** A file as people bring it home from a fair: semicolons, French headers, and some rows that cannot be read. */
import type { Chance } from './random.ts'
import { familiesOf, menOf, womenOf } from './words.ts'

export const fairFile = 'salon-du-vin.csv'

export function writeFairFile(chance: Chance, known: string[]): string {
  const lines = ['E-mail;Prénom;Nom;Société;Téléphone;Langue']
  for (let row = 1; row <= 120; row++) {
    const first = chance.pick(chance.happens(0.5) ? womenOf.fr : menOf.fr)
    const last = chance.pick(familiesOf.fr)
    const address = row % 12 === 0 ? known[row]! : `visiteur${row}@salon-du-vin.example`
    const phone = `06 39 98 ${chance.between(10, 99)} ${chance.between(10, 99)}`
    lines.push([broken(row) ?? address, first, last, chance.happens(0.3) ? 'Cave du Port' : '', phone, 'fr'].join(';'))
  }
  return `${lines.join('\r\n')}\r\n`
}

/** Addresses as they are misread from a paper list. */
function broken(row: number): string | null {
  if (row % 17 === 0) return ''
  if (row % 23 === 0) return `visiteur${row} chez salon.example`
  return row % 41 === 0 ? `visiteur${row}@salon` : null
}

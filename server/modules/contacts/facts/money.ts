/** Exact decimals without floating point: whole ten-thousandths. Pure. */

const scale = 10_000n

/** A number or a decimal text as ten-thousandths, rounded half up. */
export function toUnits(amount: string | number): bigint {
  // A number is written in full: 1e-7 is a form of its own.
  const text = typeof amount === 'number' ? amount.toFixed(8) : amount
  const [whole = '0', fraction = ''] = text.split('.')
  const digits = fraction.padEnd(5, '0')
  const units = BigInt(whole) * scale + BigInt(digits.slice(0, 4))
  return digits[4]! >= '5' ? units + 1n : units
}

/** `49.9000` of 499000: what PostgreSQL reads as numeric. */
export function fromUnits(units: bigint): string {
  return `${units / scale}.${String(units % scale).padStart(4, '0')}`
}

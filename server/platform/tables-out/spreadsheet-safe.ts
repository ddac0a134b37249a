/**
 * Text that a spreadsheet would take for a formula (`=HYPERLINK(…)` in a name is an old way to steal what stands beside
 * it) goes out behind an apostrophe, and comes back without it. The two are each other's inverse, so that an export that
 * is imported again changes nothing.
 */

// A formula may hide behind spaces, invisible characters and the full-width forms of its sign.
const formula = /^['\s\u200b-\u200f\u2060\ufeff]*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20\u2212]/
const guarded = /^'['\s\u200b-\u200f\u2060\ufeff]*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20\u2212]/

/** Numbers stay numbers; a telephone number with its plus cannot be computed, unless dashes make it a subtraction. */
const harmless = /^(?:[+-]?\d+(?:[.,]\d+)?|\+\d[\d .]*(?:\(\d+\))?[\d .]*)$/

export function guardCell(text: string): string {
  return formula.test(text.trimEnd()) && !harmless.test(text) ? `'${text}` : text
}

export function unguardCell(text: string): string {
  return guarded.test(text.trimEnd()) ? text.slice(1) : text
}

/** Raw, but for what would be taken for guarded when it comes back (and is trimmed). */
export function keepCell(text: string): string {
  return guarded.test(text.trim()) ? `'${text}` : text
}

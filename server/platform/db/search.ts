/** What people type into a field for searching, compared so that an index serves whatever the script and however short the word. */
import { sql, type RawBuilder } from 'kysely'

/** Ten words narrow down more than anybody needs; what comes after them is left out. */
export function searchWords(search: string | undefined): string[] {
  return [...new Set((search ?? '').normalize('NFC').split(/\s+/).filter(Boolean))].slice(0, 10)
}

/**
 * Letters of scripts that set no spaces; the same ranges as `platform.has_dense_script`. Of the other signs there folding makes
 * plain ones (a comma, "km", a nought), letters stay what they are.
 */
const denseScript = /(?=[\p{L}\p{M}])[\u0E00-\u0E7F\u2E80-\u9FFF\uAC00-\uD7AF\uF900-\uFAFF\u{20000}-\u{3FFFF}]/u
/** Without a trigram of their own inside of a word. */
const oneOrTwoLetters = /^[\p{L}\p{N}]{1,2}$/u

/**
 * Whether a folded text says the word: anywhere in it, for who writes "nummer" looks for "Kundennummer" too; one or two letters of
 * an alphabet only where a word begins, as everything holds them somewhere.
 */
export function says(text: RawBuilder<unknown>, word: string): RawBuilder<boolean> {
  return !denseScript.test(word) && oneOrTwoLetters.test(word)
    ? sql<boolean>`${text} ~ platform.begins_pattern(${word})`
    : sql<boolean>`${text} like platform.contains_pattern(${word})`
}

/** The same of a folded column, to be looked up: it has indexes of its trigrams and of its `platform.dense_grams`. */
export function saysByIndex(column: RawBuilder<unknown>, word: string): RawBuilder<boolean> {
  if (!denseScript.test(word)) return says(column, word)
  return sql<boolean>`(platform.has_dense_script(${column})
    and platform.dense_grams(${column}) @> platform.dense_grams(platform.fold(${word})) and ${says(column, word)})`
}

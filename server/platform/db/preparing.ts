/**
 * Which statements the server keeps planned, connection by connection: those that are asked again and again. Planning takes
 * most small statements longer than their rows. The server itself goes on planning anew where a plan for any values would
 * cost more than one for these (`plan_cache_mode = auto`).
 */

/** As many uses show that a text comes again: lists in `in (…)` make a new one for each length. */
const usesBefore = 20
const namesMax = 300
const textMax = 6_000
const countedMax = 2_000

/**
 * Left alone: all columns of a table, whose plan a later version of the program would break by adding one; and pages, whose
 * best plan depends on how much of them is asked for.
 */
const isLeftAlone = (text: string): boolean => /(?<!\()\*|\blimit \$/i.test(text) || text.length > textMax

/** Answers the name under which a statement is kept; undefined while it is not. */
export type Preparing = (text: string) => string | undefined

export function createPreparing(): Preparing {
  const uses = new Map<string, number>()
  const names = new Map<string, string>()
  return (text) => {
    const name = names.get(text)
    if (name || names.size >= namesMax) return name
    const count = (uses.get(text) ?? 0) + 1
    if (count > usesBefore && !isLeftAlone(text)) {
      uses.delete(text)
      names.set(text, `again_${names.size}`)
      return names.get(text)
    }
    if (uses.size >= countedMax) uses.clear()
    uses.set(text, count)
    return undefined
  }
}

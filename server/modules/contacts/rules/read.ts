/**
 * From JSON to a checked tree, or to every fault in it at once, each with its pointer. Pure: what needs the database
 * (tags, lists, custom fields) is looked up by `resolve.ts`.
 */
import type { InputError } from '#platform/errors.ts'
import { customField, customKey, noDefinitions, type Definitions } from './custom.ts'
import type { Field } from './field.ts'
import { findField } from './fields.ts'
import { isOp, opsOf, type Op } from './ops.ts'
import { limits } from './rule.ts'
import { readRelation, type Relation } from './read-relation.ts'
import { fault, refuseOthers, type Reading } from './reading.ts'
import { readValues, type Value } from './values.ts'

export interface Condition {
  kind: 'field'
  pointer: string
  field: Exclude<Field, { type: 'untyped' }>
  op: Op
  values: Value[]
  /** A custom field whose definition was deleted. */
  gone?: true
}

export type Leaf = Condition | Relation
export type Node = { kind: 'all'; nodes: Node[] } | { kind: 'any'; nodes: Node[] } | { kind: 'not'; node: Node } | Leaf

const errorsMax = 50

/** `pointer` says where the rule stands in the request. Null: there are errors. */
export function readRule(
  value: unknown,
  pointer: string,
  definitions: Definitions = noDefinitions,
): { root: Node | null; errors: InputError[] } {
  const reading: Reading = { errors: [], leaves: 0, definitions }
  const root = readNode(reading, value, pointer, 1)
  if (reading.leaves > limits.leaves) {
    fault(
      reading,
      pointer,
      'too_many',
      `A rule has at most ${limits.leaves} conditions; this one has ${reading.leaves}.`,
    )
  }
  return { root: reading.errors.length ? null : root, errors: reading.errors.slice(0, errorsMax) }
}

export function leavesOf(node: Node): Leaf[] {
  if (node.kind === 'all' || node.kind === 'any') return node.nodes.flatMap(leavesOf)
  if (node.kind === 'not') return leavesOf(node.node)
  return [node]
}

function readNode(reading: Reading, value: unknown, pointer: string, depth: number): Node | null {
  if (depth > limits.depth) {
    return fault(reading, pointer, 'too_deep', `A rule has at most ${limits.depth} levels. Take some of them apart.`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return fault(reading, pointer, 'type', 'A rule is an object: all, any, not, or a condition with field or event.')
  }
  const node = value as Record<string, unknown>
  const kinds = (['all', 'any', 'not', 'field', 'event'] as const).filter((key) => Object.hasOwn(node, key))
  const [kind] = kinds
  if (!kind || kinds.length > 1) {
    return fault(reading, pointer, 'rule', 'A rule has exactly one of all, any, not, field, event. Nest them instead.')
  }
  if (kind === 'field') return readCondition(reading, node, pointer)
  if (kind === 'event') return readRelation(reading, node, pointer)
  refuseOthers(reading, node, pointer, [kind])
  if (kind === 'not') {
    const inner = readNode(reading, node.not, `${pointer}/not`, depth + 1)
    return inner && { kind, node: inner }
  }
  const list: unknown = node[kind]
  if (!Array.isArray(list)) return fault(reading, `${pointer}/${kind}`, 'type', 'This must be a list of rules.')
  const nodes = list
    .slice(0, limits.leaves * 2)
    .map((each, index) => readNode(reading, each, `${pointer}/${kind}/${index}`, depth + 1))
  if (list.length > nodes.length) fault(reading, `${pointer}/${kind}`, 'too_many', 'The list has too many rules.')
  return { kind, nodes: nodes.filter((each) => each !== null) }
}

function readCondition(reading: Reading, node: Record<string, unknown>, pointer: string): Condition | null {
  reading.leaves++
  refuseOthers(reading, node, pointer, ['field', 'op', 'value'])
  const name = node.field
  const field = typeof name === 'string' ? (findField(name) ?? customField(name, reading.definitions)) : undefined
  if (typeof name !== 'string' || !field) {
    const detail =
      'There is no such field. GET /contacts/filter-fields lists them; custom ones are custom_fields.<key>.'
    return fault(reading, `${pointer}/field`, 'unknown_field', detail)
  }
  const ops = opsOf(field)
  if (!isOp(node.op) || !ops.includes(node.op)) {
    return fault(reading, `${pointer}/op`, 'unknown_op', `${field.name} takes ${ops.join(', ')}.`)
  }
  const read = readValues(field, node.op, node.value, `${pointer}/value`)
  if ('errors' in read) {
    reading.errors.push(...read.errors)
    return null
  }
  const isGone = Boolean(reading.definitions.get(customKey(name) ?? '')?.deleted_at)
  return {
    kind: 'field',
    pointer,
    field: read.field,
    op: node.op,
    values: read.values,
    ...(isGone ? { gone: true } : {}),
  }
}

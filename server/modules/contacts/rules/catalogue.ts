/** The catalogue as the builder of rules shows it. */
import { Type, type Static } from 'typebox'
import type { CustomField } from '../fields/tables.ts'
import { customField, customPrefix } from './custom.ts'
import { eventNames, eventOps, typeOfEvent } from './events.ts'
import { fields } from './fields.ts'
import { arities, opsOf, type Op } from './ops.ts'
import { limits } from './rule.ts'

const Operator = Type.Object({
  op: Type.String(),
  takes: Type.String({ description: 'none, one, many, pair (from and to) or days (a whole number)' }),
})

export const FilterFields = Type.Object({
  fields: Type.Array(
    Type.Object({
      field: Type.String({ description: 'As a rule names it' }),
      label: Type.Optional(Type.String({ description: 'Of a custom field; the others are named by their clients' })),
      type: Type.String({
        description: 'text, code, choice, choices, number, boolean, datetime, date, id, presence, tags, lists, untyped',
      }),
      group: Type.String(),
      can_be_empty: Type.Boolean(),
      choices: Type.Optional(Type.Array(Type.String())),
      ops: Type.Array(Operator),
    }),
  ),
  events: Type.Array(
    Type.Object({ event: Type.String(), interaction_type: Type.String({ description: 'What the timeline calls it' }) }),
  ),
  event_ops: Type.Array(Type.String()),
  limits: Type.Object({ depth: Type.Integer(), leaves: Type.Integer(), values: Type.Integer() }),
})

export function filterFieldsView(definitions: CustomField[]): Static<typeof FilterFields> {
  const byKey = new Map(definitions.map((definition) => [definition.key, definition]))
  const custom = definitions.flatMap(({ key }) => customField(`${customPrefix}${key}`, byKey) ?? [])
  return {
    fields: [...fields.values(), ...custom].map((field) => ({
      field: field.name,
      ...(field.label === undefined ? {} : { label: field.label }),
      type: field.type,
      group: field.group,
      can_be_empty: field.empty !== null,
      ...('choices' in field && Array.isArray(field.choices) ? { choices: [...(field.choices as string[])] } : {}),
      ops: opsOf(field).map(withArity),
    })),
    events: eventNames.map((event) => ({ event, interaction_type: typeOfEvent(event)! })),
    event_ops: [...eventOps],
    limits: { depth: limits.depth, leaves: limits.leaves, values: limits.values },
  }
}

function withArity(op: Op) {
  return { op, takes: arities[op] }
}

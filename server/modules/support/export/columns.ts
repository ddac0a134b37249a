/**
 * What can stand in an export of tickets: what their view shows to the house, but for internal notes, which leave by no door.
 * Named one by one, so that a new column is in no file until somebody says so.
 */
import { Invalid } from '#platform/errors.ts'
import { toCell, type Cell, type CellKind, type Column } from '#platform/tables-out/table.ts'
import type { Ticket } from '../tables.ts'

interface Field {
  label: string
  kind: CellKind
}

const as = (kind: CellKind) => (label: string) => ({ label, kind })
const [text, number, time, yesNo] = [as('text'), as('number'), as('time'), as('yes_no')]

/** In the order of a whole export. */
const ownFields = {
  id: text('Id'),
  ticket_number: text('Ticket Number'),
  subject: text('Subject'),
  description: text('Description'),
  status: text('Status'),
  priority: text('Priority'),
  category: text('Category'),
  source: text('Source'),
  tags: text('Tags'),
  contact_name: text('Requester'),
  contact_email: text('Requester E-mail'),
  contact_id: text('Contact Id'),
  user_id: text('User Id'),
  assigned_to: text('Agent Id'),
  created_at: time('Created At'),
  updated_at: time('Updated At'),
  last_message_at: time('Last Message At'),
  waiting_since: time('Waiting Since'),
  first_response_at: time('First Response At'),
  resolved_at: time('Resolved At'),
  closed_at: time('Closed At'),
  resolution_notes: text('Resolution'),
  satisfaction_rating: number('Satisfaction'),
  satisfaction_comment: text('Satisfaction Comment'),
  first_response_due_at: time('First Response Due'),
  next_response_due_at: time('Next Response Due'),
  resolution_due_at: time('Resolution Due'),
  due_at: time('Due At'),
  at_risk_at: time('At Risk At'),
  first_response_breached_at: time('First Response Missed At'),
  next_response_breached_at: time('Next Response Missed At'),
  resolution_breached_at: time('Resolution Missed At'),
  is_escalated: yesNo('Escalated'),
  escalated_at: time('Escalated At'),
  reopened_count: number('Reopened'),
  follow_up_of: text('Follows'),
  metadata: text('Metadata'),
} as const satisfies Partial<Record<keyof Ticket, Field>>
type OwnName = keyof typeof ownFields

/** Gathered for a whole batch, and only where it is asked for. */
const gatheredFields = { assigned_to_name: text('Agent'), message_count: number('Messages') } as const

export type ExportedTicket = Pick<Ticket, OwnName> & { assigned_to_name: string | null; message_count: number }
type ColumnName = OwnName | keyof typeof gatheredFields

const fields: Record<ColumnName, Field> = { ...ownFields, ...gatheredFields }

/** The conversation is no cell. */
export const jsonOnly = 'messages'

export const columnNames: readonly string[] = Object.keys(fields)

export const defaultNames =
  'ticket_number subject status priority category source tags contact_name contact_email assigned_to_name created_at first_response_at due_at resolved_at closed_at satisfaction_rating message_count'.split(
    ' ',
  )

/** Everything that decides what is read and written. */
export interface ExportPlan {
  names: readonly ColumnName[]
  columns: Column[]
  /** Columns of the ticket to read. */
  reads: readonly OwnName[]
  withMessages: boolean
  toCells(ticket: ExportedTicket): Cell[]
}

interface Asked {
  format: 'csv' | 'xlsx' | 'json'
  columns?: string[]
  headers?: 'labels' | 'names'
}

/** Throws `Invalid` for a name that is none. */
export function planExport({ format, columns: asked = [], headers }: Asked): ExportPlan {
  const everything = [...columnNames, ...(format === 'json' ? [jsonOnly] : [])]
  const given = asked.flatMap((name, index) => (name === '*' ? everything : [known(name, everything, index)]))
  const wanted = new Set(given.length ? given : format === 'json' ? everything : defaultNames)
  const names = [...wanted].filter(isColumn)
  const reads: OwnName[] = names.filter((name) => Object.hasOwn(ownFields, name)) as OwnName[]
  return {
    names,
    columns: names.map((name) => ({
      header: headers === 'names' ? name : fields[name].label,
      kind: fields[name].kind,
    })),
    reads: [...new Set<OwnName>(['id', ...(wanted.has('assigned_to_name') ? ['assigned_to' as const] : []), ...reads])],
    withMessages: wanted.has(jsonOnly),
    toCells: (ticket) => names.map((name) => toCell(ticket[name])),
  }
}

function known(name: string, offered: readonly string[], index: number): string {
  if (offered.includes(name)) return name
  const detail =
    name === jsonOnly
      ? 'What was said is no cell of a table: ask for json.'
      : `There is no column “${name}” to export. Known are ${offered.join(', ')}.`
  throw Invalid.at(`/columns/${index}`, 'unknown_column', detail)
}

function isColumn(name: string): name is ColumnName {
  return Object.hasOwn(fields, name)
}

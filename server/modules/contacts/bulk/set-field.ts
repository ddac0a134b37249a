/** The bulk action that gives one field of many contacts the same value, by the rules of a single edit. */
import { sql, type RawBuilder } from 'kysely'
import { Check } from 'typebox/value'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { Invalid, type InputError } from '#platform/errors.ts'
import { getWorkspace } from '#modules/accounts/index.ts'
import { publishContacts, type ContactFacts } from '../contact-events.ts'
import { ContactChange, customFieldsBytesMax, toColumns } from '../contact-fields.ts'
import { customFieldDefinitions } from '../fields/fields.ts'
import { checkCustomFields } from '../fields/values.ts'
import { recordInteractions } from '../interactions.ts'
import { operationOf } from '../operations/record.ts'
import type { BulkActionKind, Context } from './action.ts'

/** Fields of which many contacts can share a value; an e-mail address is one person's, and consent has actions of its own. */
export const settableFields = [
  'first_name',
  'last_name',
  'company',
  'job_title',
  'phone',
  'gender',
  'language',
  'timezone',
  'source',
  'is_active',
  'notes',
] as const
type Settable = (typeof settableFields)[number]

const customPrefix = 'custom_fields.'

interface Assignment {
  field: string
  /** What is written. */
  set: RawBuilder<unknown>
  outcome: RawBuilder<string>
}

export const setField: BulkActionKind = {
  check: async (context) => void (await toAssignment(context)),
  async plan(context) {
    const { tx, actor } = context
    const assignment = await toAssignment(context)
    return {
      facts: { field: assignment.field },
      outcome: assignment.outcome,
      apply: async (ids) => ({ changed: await assign(tx, actor, ids, assignment) }),
    }
  },
}

async function toAssignment(context: Context): Promise<Assignment> {
  const { field, value } = context.params
  if (!field) throw Invalid.at('/params/field', 'required', 'Which field?')
  if (value === undefined) throw Invalid.at('/params/value', 'required', 'Which value? Null takes a value away.')
  return field.startsWith(customPrefix) ? toCustom(context, field) : toStandard(context, field)
}

async function toStandard({ tx, actor, params: { value } }: Context, field: string): Promise<Assignment> {
  if (!isSettable(field)) {
    const offered = settableFields.join(', ')
    throw Invalid.at('/params/field', 'not_settable', `Set one of ${offered}, or custom_fields.<key>.`)
  }
  if (!Check(ContactChange.properties[field], value)) {
    throw Invalid.at('/params/value', 'type', `${field} does not take this value.`)
  }
  const { country } = await getWorkspace(tx, tx.workspaceId)
  const columns = atValue(() => toColumns({ [field]: value }, { country, definitions: [], before: {} }))
  if (actor.kind === 'user' && columns.first_name === '') {
    throw Invalid.at('/params/value', 'required', 'A contact needs a first name.')
  }
  const entries = Object.entries(columns)
  const same = entries.map(([name, to]) => sql`${sql.ref(`c.${name}`)} is not distinct from ${to}`)
  return {
    field,
    set: sql.join(entries.map(([name, to]) => sql`${sql.ref(name)} = ${to}`)),
    outcome: sql`case when ${sql.join(same, sql` and `)} then 'same' else 'change' end`,
  }
}

async function toCustom({ tx, params: { value } }: Context, field: string): Promise<Assignment> {
  const key = field.slice(customPrefix.length)
  const definitions = await customFieldDefinitions(tx)
  if (!definitions.some((definition) => definition.key === key)) {
    throw Invalid.at('/params/field', 'not_found', 'There is no such custom field here. Make it first.')
  }
  const errors: InputError[] = []
  const change = checkCustomFields(definitions, { [key]: value }, errors)
  if (errors.length)
    throw pointedAtValue(new Invalid('invalid', errors.map(({ detail }) => detail).join(' '), { errors }))
  const text = JSON.stringify(change.set[key] ?? null)
  const becomes = Object.hasOwn(change.set, key)
    ? sql`c.custom_fields || jsonb_build_object(${key}::text, ${text}::jsonb)`
    : sql`c.custom_fields - ${key}::text`
  return {
    field,
    set: sql`custom_fields = ${becomes}`,
    outcome: sql`case when ${becomes} = c.custom_fields then 'same'
      when octet_length((${becomes})::text) > ${customFieldsBytesMax}::int then 'custom_fields_full' else 'change' end`,
  }
}

async function assign(tx: Tx, actor: Actor, ids: string[], { field, set, outcome }: Assignment): Promise<number> {
  const { rows } = await sql<ContactFacts>`
    with locked as materialized (
      select id from contacts.contacts
      where workspace_id = ${tx.workspaceId} and id = any(${ids}::uuid[]) and deleted_at is null order by id for no key update)
    update contacts.contacts c set ${set} from locked
    where c.workspace_id = ${tx.workspaceId} and c.id = locked.id and ${outcome} = 'change'
    returning c.id, c.email, c.first_name, c.last_name`.execute(tx.sql)
  await publishContacts(tx, 'updated', rows, { changed: [field.startsWith(customPrefix) ? 'custom_fields' : field] })
  const metadata = { changed: [field], operation_id: operationOf(tx) }
  await recordInteractions(
    tx,
    rows.map(({ id }) => ({ contactId: id, type: 'contact_updated' as const, metadata, actor })),
  )
  return rows.length
}

function isSettable(field: string): field is Settable {
  return (settableFields as readonly string[]).includes(field)
}

function atValue<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw error instanceof Invalid ? pointedAtValue(error) : error
  }
}

/** The rules point at the field of a contact; here it is the value of a parameter. */
function pointedAtValue(invalid: Invalid): Invalid {
  const errors = (invalid.errors ?? []).map((error) => ({ ...error, pointer: '/params/value' }))
  return new Invalid('invalid', invalid.message, { errors })
}

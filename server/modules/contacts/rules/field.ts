/**
 * What a field of the rules is: its type, and the SQL that reads it from the row `c` of `contacts.contact_rows`. Where an
 * index has an expression of its own, the field names that one, so that a condition on it can use the index.
 */
import type { RawBuilder } from 'kysely'
import type { CustomField } from '../fields/tables.ts'

export type Sql<Value = unknown> = RawBuilder<Value>

interface Common {
  name: string
  /** Under which heading the builder shows it. */
  group: 'person' | 'subscription' | 'engagement' | 'activity' | 'record' | 'membership' | 'custom'
  /** Whether it can be empty, and then how that is told. */
  empty: Sql<boolean> | null
  /** The value as people see it, for "why is X in it". */
  shown: Sql
  /** Of a custom field that has a definition. */
  asked?: CustomField
  label?: string
}

/** Compared folded: case and accents do not matter. */
export interface TextField extends Common {
  type: 'text'
  /** Never null: nothing is the empty text. */
  folded: Sql<string>
  fold: (value: Sql) => Sql<string>
  /** In words of the field's own where an index, or what the text means, asks for it; never null. */
  isOneOf?: (values: string[]) => Sql<boolean>
  /** Part of `search_text`, which is folded already and has trigrams: it narrows down first. */
  searched?: true
  /** Whether there is any text: folding a million empty ones takes seconds. */
  present?: Sql<boolean>
}

/** A word of machines: compared as it is. */
export interface CodeField extends Common {
  type: 'code'
  column: Sql<string>
  canonical: (value: string) => string
}

export interface ChoiceField extends Common {
  type: 'choice'
  choices: readonly string[]
  isOneOf: (values: string[]) => Sql<boolean>
}

export interface NumberField extends Common {
  type: 'number'
  column: Sql
  /** What its values are cast to: of another type, no index would serve. */
  cast: 'int' | 'numeric'
}

export interface BooleanField extends Common {
  type: 'boolean'
  column: Sql<boolean>
}

export interface TimeField extends Common {
  type: 'datetime'
  column: Sql<Date>
  /** The same, but with nothing as `-infinity`: what the index sorts by. */
  indexed?: Sql<Date>
  /** Where the time is that of some entry: whether there is an entry at all with which it could be. Narrows down first. */
  among?: (within: (time: Sql) => Sql) => Sql<boolean>
}

/** A day without a time, as text (`2024-02-29`); what is no day is null. */
export interface DayField extends Common {
  type: 'date'
  column: Sql<string>
}

export interface IdField extends Common {
  type: 'id'
  column: Sql<string>
}

export interface PresenceField extends Common {
  type: 'presence'
}

export interface MembershipField extends Common {
  type: 'tags' | 'lists'
}

/** Several of a field's own choices at once; `column` is a JSON array, or null. */
export interface ChoicesField extends Common {
  type: 'choices'
  choices: readonly string[]
  column: Sql
}

/** Values that no definition gives a type: each is compared as what the rule's value is. */
export interface UntypedField extends Common {
  type: 'untyped'
  text: TextField
  number: NumberField
  boolean: BooleanField
  date: DayField
  choices: ChoicesField
}

export type Field =
  | TextField
  | CodeField
  | ChoiceField
  | NumberField
  | BooleanField
  | TimeField
  | DayField
  | IdField
  | PresenceField
  | MembershipField
  | ChoicesField
  | UntypedField

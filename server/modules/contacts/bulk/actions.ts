/** Every bulk action, in one table. An export is a job of its own, see `start.ts`. */
import { sql } from 'kysely'
import { deleteContacts, restoreContacts } from '../contact-removal.ts'
import type { BulkActionKind } from './action.ts'
import { decide, setStatus } from './consent.ts'
import { addTag, addTo, removeFrom, removeTag } from './places.ts'
import type { ActionName } from './request.ts'
import { setField } from './set-field.ts'

const deletion: BulkActionKind = {
  check: () => {},
  plan: ({ tx, actor }) => ({
    facts: {},
    outcome: sql`'change'`,
    apply: async (ids) => ({ changed: (await deleteContacts(tx, actor, ids)).length }),
  }),
}

/** Of several deleted contacts with one address one comes back, and none where the address is in use. */
const restoring: BulkActionKind = {
  check: () => {},
  plan: ({ tx, actor }) => ({
    facts: {},
    outcome: sql`case when exists (
        select from contacts.contact_rows live where live.email_key = c.email_key and live.deleted_at is null)
      or row_number() over (partition by c.email_key order by c.deleted_at desc, c.id) > 1
      then 'email_taken' else 'change' end`,
    apply: async (ids) => ({ changed: (await restoreContacts(tx, actor, ids)).length }),
  }),
}

export const actions: Record<Exclude<ActionName, 'export'>, BulkActionKind> = {
  add_tag: addTag,
  remove_tag: removeTag,
  add_to_list: addTo('list_id'),
  remove_from_list: removeFrom('list_id'),
  add_to_group: addTo('group_id'),
  remove_from_group: removeFrom('group_id'),
  set_field: setField,
  set_status: setStatus,
  subscribe: decide('granted'),
  unsubscribe: decide('withdrawn'),
  delete: deletion,
  restore: restoring,
}

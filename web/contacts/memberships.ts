import { addToList, removeFromList } from '../api/contacts.ts'
import type { Contact } from '../api/types.ts'

/** Brings a contact's lists to those chosen, by the differences alone. */
export async function changeMemberships(contact: Contact, listIds: string[]): Promise<void> {
  const before = contact.lists.map(({ id }) => id)
  await Promise.all([
    ...listIds.filter((id) => !before.includes(id)).map((id) => addToList(id, [contact.id])),
    ...before.filter((id) => !listIds.includes(id)).map((id) => removeFromList(id, [contact.id])),
  ])
}

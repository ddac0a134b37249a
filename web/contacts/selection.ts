// Which contacts a bulk action is for: some rows, or everything that the filters match, however many pages away.
import { useState } from 'react'
import type { Query } from '../api/client.ts'
import type { Selection } from '../table/column.ts'

export type Chosen = { ids: Set<string>; everything: boolean }

export function useSelection(filterKey: string) {
  const [chosen, setChosen] = useState<Chosen & { filterKey: string }>({ ids: new Set(), everything: false, filterKey })
  // Another filter is another question: what was chosen under the old one must not be acted on under the new.
  const current: Chosen = chosen.filterKey === filterKey ? chosen : { ids: new Set(), everything: false }
  const set = (ids: Set<string>, everything = false) => setChosen({ ids, everything, filterKey })
  const selection: Selection = {
    has: (id) => current.everything || current.ids.has(id),
    toggle: (id) => {
      const ids = new Set(current.ids)
      if (!ids.delete(id)) ids.add(id)
      set(ids)
    },
    toggleAll: (ids) => set(current.everything || ids.every((id) => current.ids.has(id)) ? new Set() : new Set(ids)),
  }
  return { chosen: current, selection, clear: () => set(new Set()), chooseEverything: () => set(current.ids, true) }
}

/** The part of a bulk request that names the contacts. */
export function subjectOf(chosen: Chosen, filter: Query): { filter: Query } | { contact_ids: string[] } {
  return chosen.everything ? { filter } : { contact_ids: [...chosen.ids] }
}

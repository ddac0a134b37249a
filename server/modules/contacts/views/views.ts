/** Saved views of the contacts: a rule, a search, an order and columns under a name. */
import { authorize, may } from '#platform/actor.ts'
import { savedViews, type Chosen, type ViewInput as AnyViewInput } from '#platform/saved-views/views.ts'
import type { Rule } from '../rules/rule.ts'
import type { SavedView } from './tables.ts'
import { checkContent } from './view-rules.ts'

export type ChosenView = Chosen<SavedView>

export interface ViewInput extends AnyViewInput {
  layout?: SavedView['layout']
  filter?: Rule | null
  search?: string
  group_by?: string | null
}

/** A shared one is its owner's to change while they may share, and the admins'. */
export const views = savedViews<SavedView, ViewInput>({
  table: 'contacts.views',
  choices: 'contacts.view_choices',
  content: ['filter', 'search', 'group_by', 'layout'],
  mayChange: (permissions, actor, view) =>
    view.owner_id === actor.id
      ? view.visibility === 'private' || may(permissions, actor, 'view.share')
      : view.visibility === 'workspace' && may(permissions, actor, 'view.manage'),
  check: async (tx, input, { actor, permissions, view }) => {
    if (input.visibility === 'workspace') authorize(permissions, actor, 'view.share')
    const layout = input.layout ?? view?.layout
    const groupBy = input.group_by === undefined ? view?.group_by : input.group_by
    await checkContent(tx, { ...input, layout, ...(layout === 'board' ? { group_by: groupBy } : {}) })
  },
})

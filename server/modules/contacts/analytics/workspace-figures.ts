/** How the whole workspace stands, as document 1 asks to watch it: kept hourly, and shown to Prometheus as sums. */
import { sql } from 'kysely'
import { Gauge } from 'prom-client'
import type { Tx } from '#platform/db/db.ts'
import type { Runtime } from '#platform/services.ts'

export async function recordWorkspace(tx: Tx): Promise<void> {
  await sql`
    insert into contacts.workspace_statistics as w
    select ${tx.workspaceId}, people.total, subscribed.count, gone.count, people.score, lists.members,
      greatest(0, lists.members - lists.net), tags.uses, tags.unused, tags.to_10, tags.to_100, tags.to_1000, tags.over_1000, now()
    from
      (select count(*) as total, coalesce(sum(engagement_score), 0) as score
       from contacts.contact_rows where deleted_at is null) as people,
      (select count(*) as count from contacts.contact_rows
       where deleted_at is null and (newsletter_subscribed or marketing_subscribed)) as subscribed,
      (select count(*) as count from contacts.contact_rows where deleted_at is null and status = 'unsubscribed') as gone,
      (select coalesce(sum(l.contact_count), 0) as members, coalesce(sum(s.net), 0) as net
       from contacts.lists l left join (
         select list_id, sum(added - removed) as net from contacts.list_statistics
         where day > contacts.local_day(${tx.workspaceId}) - 30 group by 1) as s on s.list_id = l.id
       where l.deleted_at is null) as lists,
      (select coalesce(sum(usage_count), 0) as uses, count(*) filter (where usage_count = 0) as unused,
         count(*) filter (where usage_count between 1 and 10) as to_10,
         count(*) filter (where usage_count between 11 and 100) as to_100,
         count(*) filter (where usage_count between 101 and 1000) as to_1000,
         count(*) filter (where usage_count > 1000) as over_1000
       from contacts.tags) as tags
    on conflict (workspace_id) do update set (contacts, subscribed, unsubscribed, score_sum, list_members, list_members_before,
        tag_uses, tags_unused, tags_to_10, tags_to_100, tags_to_1000, tags_over_1000, computed_at) =
      (excluded.contacts, excluded.subscribed, excluded.unsubscribed, excluded.score_sum, excluded.list_members,
        excluded.list_members_before, excluded.tag_uses, excluded.tags_unused, excluded.tags_to_10, excluded.tags_to_100,
        excluded.tags_to_1000, excluded.tags_over_1000, excluded.computed_at)`.execute(tx.sql)
}

interface Totals {
  contacts: number
  subscribed: number
  unsubscribed: number
  average_score: string
  list_members: number
  list_members_before: number
  tag_uses: number
  tags_unused: number
  tags_to_10: number
  tags_to_100: number
  tags_to_1000: number
  tags_over_1000: number
}

/** Sums over all workspaces, because a label for each would grow without bound; asked for at each scrape, one row. */
export function showTotals({ metrics, db, log }: Runtime): void {
  let reading: Promise<Totals | null> | undefined
  const read = (): Promise<Totals | null> => {
    reading ??= db
      .lookup<Totals & Record<string, unknown>>('contacts.totals', 'select * from contacts.totals()', [])
      .then(([totals]) => totals ?? null)
      .catch((error: Error) => {
        log.warn({ err: error }, 'the totals of contacts could not be read')
        return null
      })
      .finally(() => (reading = undefined))
    return reading
  }
  const gauge = (name: string, help: string, value: (totals: Totals) => number): void => {
    new Gauge({
      name: `rapport_${name}`,
      help: `${help} As of the last hourly count.`,
      registers: [metrics.registry],
      async collect() {
        const totals = await read()
        if (totals) this.set(value(totals))
      },
    })
  }
  const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole)
  gauge('contacts', 'Contacts of all workspaces.', ({ contacts }) => contacts)
  gauge('contacts_subscription_ratio', 'Contacts that are subscribed to anything, of all.', (all) =>
    share(all.subscribed, all.contacts),
  )
  gauge('contacts_unsubscription_ratio', 'Contacts that have unsubscribed, of all.', (all) =>
    share(all.unsubscribed, all.contacts),
  )
  gauge('contacts_engagement_score_average', 'Average engagement score.', ({ average_score }) => Number(average_score))
  gauge('contacts_list_members', 'Memberships of all lists.', ({ list_members }) => list_members)
  gauge('contacts_list_growth_ratio', 'By how much lists grew in 30 days.', (all) =>
    share(all.list_members - all.list_members_before, all.list_members_before),
  )
  gauge('contacts_tag_uses', 'How often contacts have tags.', ({ tag_uses }) => tag_uses)
  showTagUsage(metrics.registry, read)
}

const bands = { '0': 'tags_unused', '1-10': 'tags_to_10', '11-100': 'tags_to_100', '101-1000': 'tags_to_1000' } as const

function showTagUsage(registry: Runtime['metrics']['registry'], read: () => Promise<Totals | null>): void {
  new Gauge({
    name: 'rapport_contacts_tags',
    help: 'Tags, by how many contacts have them. As of the last hourly count.',
    labelNames: ['contacts'] as const,
    registers: [registry],
    async collect() {
      const totals = await read()
      if (!totals) return
      for (const [contacts, column] of Object.entries(bands)) this.set({ contacts }, Number(totals[column]))
      this.set({ contacts: '1001+' }, Number(totals.tags_over_1000))
    },
  })
}

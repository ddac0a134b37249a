/** How the module is doing: document 2's `GET /communication/status`. */
import { sql } from 'kysely'
import { Type } from 'typebox'
import { streamRoute } from '#platform/http/route.ts'
import { NullableText, OneOf } from '#platform/http/shapes.ts'
import type { Runtime } from '#platform/services.ts'

const Status = Type.Object({
  status: OneOf(['ok', 'degraded']),
  email: Type.Object({
    transport: OneOf(['sandbox', 'smtp'], { description: 'The sandbox keeps every mail in its inbox' }),
    reachable: Type.Boolean(),
    reason: NullableText,
  }),
  campaigns: Type.Object({ active: Type.Integer(), scheduled: Type.Integer(), paused: Type.Integer() }),
  deliveries: Type.Object({
    waiting: Type.Integer({ description: 'Queued or to be tried again, in active campaigns' }),
  }),
})

const verifiedForMs = 30_000

const statusRoute = streamRoute({
  method: 'GET',
  path: '/communication/status',
  may: 'communication.read',
  summary: 'How sending is doing',
  description: 'The mail server is asked at most every 30 seconds.',
  replies: { 200: Status },
  stream: async ({ inTx, runtime }) => {
    const mail = await verifyMail(runtime)
    const { campaigns, waiting } = await inTx(async (tx) => {
      const counted = await sql<{ status: string; count: number }>`
        select status, count(*)::int as count from communication.campaigns
        where workspace_id = ${tx.workspaceId} and deleted_at is null group by status`.execute(tx.sql)
      const queued = await sql<{ count: number }>`
        select count(*)::int as count from communication.deliveries d
        join communication.campaigns c on c.workspace_id = d.workspace_id and c.id = d.campaign_id and c.status = 'active'
        where d.workspace_id = ${tx.workspaceId} and d.state in ('queued', 'retry')`.execute(tx.sql)
      const campaigns = new Map(counted.rows.map((row) => [row.status, row.count]))
      return { campaigns, waiting: queued.rows[0]?.count ?? 0 }
    })
    return {
      status: mail.ok ? ('ok' as const) : ('degraded' as const),
      email: {
        transport: runtime.config.smtp ? ('smtp' as const) : ('sandbox' as const),
        reachable: mail.ok,
        reason: mail.ok ? null : mail.reason,
      },
      campaigns: {
        active: campaigns.get('active') ?? 0,
        scheduled: campaigns.get('scheduled') ?? 0,
        paused: campaigns.get('paused') ?? 0,
      },
      deliveries: { waiting },
    }
  },
})

async function verifyMail({ cache, mail }: Runtime): Promise<{ ok: true } | { ok: false; reason: string }> {
  return cache.getOrSet('communication:mail-verified', verifiedForMs, () => mail.verify())
}

export const statusRoutes = [statusRoute]

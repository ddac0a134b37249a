/** Waiting for RabbitMQ, by what can be seen of it. */
import type { Connection } from 'rabbitmq-client'
import type { TestApp } from '../start.ts'

/** The queue is bound once it has a consumer. */
export async function bound(connection: Connection, queue: string): Promise<void> {
  for (;;) {
    const state = await connection.queueDeclare({ queue, passive: true }).catch(() => null)
    if (state?.consumerCount) return
  }
}

/** The message is in the outbox once the consumer has committed it. */
export async function taken(app: TestApp, event: string): Promise<void> {
  for (;;) {
    const { rowCount } = await app.inTx((tx) =>
      tx.rawQuery('select from platform.outbox where event = $1 and is_foreign', [event]),
    )
    if (rowCount) return
  }
}

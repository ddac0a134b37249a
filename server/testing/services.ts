// Which outside services answer on this machine. A test that needs an absent one is skipped, and says so.
import { connect } from 'node:net'

export const REDIS_URL = 'redis://127.0.0.1:6379/9'
export const POSTGRES_URL = 'postgres://postgres@127.0.0.1:5432/postgres'
export const RABBITMQ_URL = 'amqp://guest:guest@127.0.0.1:5672/'

/** Whether something accepts connections there; a refusal within a second is an answer too. */
export function answers(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port) })
    const settle = (isThere: boolean) => {
      socket.destroy()
      if (!isThere) console.warn(`Skipped: nothing answers at ${hostname}:${port}.`)
      resolve(isThere)
    }
    socket.setTimeout(1000, () => settle(false))
    socket.once('connect', () => settle(true))
    socket.once('error', () => settle(false))
  })
}

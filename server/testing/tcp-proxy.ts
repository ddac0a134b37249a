// A TCP link that tests can cut and mend, to put between Rapport and a service.
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export type TcpProxy = AsyncDisposable & {
  port: number
  /** Drops every connection and refuses new ones, on the same port, until `mend`. */
  cut(): void
  mend(): void
}

/** Forwards a port of its own on loopback to another one there, of this or another of its addresses. */
export async function startTcpProxy(
  targetPort: number,
  targetHost = '127.0.0.1',
  /** What clients say. */
  hear: (data: Buffer) => void = () => {},
): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  let isCut = false
  const server = createServer((client) => {
    if (isCut) return client.destroy()
    const target = connect({ host: targetHost, port: targetPort })
    client.on('data', hear)
    for (const [socket, other] of [
      [client, target],
      [target, client],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => other.destroy())
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
      socket.pipe(other)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const drop = () => sockets.forEach((socket) => socket.destroy())
  return {
    port: (server.address() as AddressInfo).port,
    cut: () => {
      isCut = true
      drop()
    },
    mend: () => {
      isCut = false
    },
    [Symbol.asyncDispose]: async () => {
      drop()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** The program's own door for mail servers, and somebody's mail program in front of it. */
import nodemailer, { type SendMailOptions } from 'nodemailer'
import { createSmtpDoor } from '#platform/mail-in/smtp-door.ts'
import type { TestApp } from './start.ts'

export interface MailDoor extends AsyncDisposable {
  /** Hands the mail in and lets the program make of it what it will. */
  send(options: SendMailOptions): Promise<void>
}

export async function openMailDoor(app: TestApp): Promise<MailDoor> {
  const settings = { protocol: 'smtp', host: '127.0.0.1', port: 0, connectionsMax: 20, tls: null } as const
  const door = createSmtpDoor(app.app.runtime, { ...settings, name: 'mx.test', sizeBytesMax: 20_000_000 }, () => {})
  const { port } = await door.open()
  const transport = nodemailer.createTransport({ host: '127.0.0.1', port, ignoreTLS: true, name: 'client.test' })
  return {
    async send(options) {
      await transport.sendMail(options)
      await app.drain()
    },
    [Symbol.asyncDispose]: () => door.stop(),
  }
}

/** A second process of the same installation: the same database and people, nothing else in common. */
import { createApp } from '../app.ts'
import { toConfig } from '../config.ts'
import { createLog } from '../platform/observe/log.ts'
import { clientOf, testSecretKey, tokenOf, type Client, type TestApp } from './start.ts'

export interface AnotherApp extends AsyncDisposable {
  app: TestApp['app']
  as: TestApp['as']
  anonymous: Client
}

/** It ends before the first one does, which owns the database. */
export async function startAnother(
  first: TestApp,
  environment: Record<string, string> = {},
  log = createLog({ level: 'silent', name: 'another' }),
): Promise<AnotherApp> {
  const config = toConfig({ APP_ENV: 'test', RATE_LIMIT_PER_MINUTE: '1000000', ...environment })
  const app = await createApp({
    config: { ...config, app: { ...config.app, dataDir: first.app.runtime.config.app.dataDir } },
    databaseUrl: first.databaseUrl,
    secretKey: testSecretKey,
    log,
    works: false,
    webFolder: null,
  })
  await app.http.ready()
  const { people, workspaceId } = first.world
  return {
    app,
    as: (person) => clientOf(app, tokenOf(people[person], workspaceId)),
    anonymous: clientOf(app, null),
    [Symbol.asyncDispose]: () => app.close(),
  }
}

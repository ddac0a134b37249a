/** Arguments → configuration → app → roles → wait for a signal → close. */
import { parseArgs } from 'node:util'
import { ConfigError, projectFolder, readEnv, toConfig } from './config.ts'
import { CannotStart } from './platform/errors.ts'
import { isServiceName, serviceNames } from './config/services.ts'
import { serve, type Role } from './roles/serve.ts'

const usage = `Usage:
  rapport serve [--role api|worker] [--demo]   Run Rapport; both roles when none is named. --demo fills a demo workspace
  rapport serve --module ${serviceNames.join('|')}
                                               Answer as that service of the documents: its addresses at the root,
                                               its port, no web application
  rapport events resend                        Hand every event that failed for good on once more, and end
  rapport migrate                              Bring the database to this version, and end
  rapport demo --remove                        Take the demo workspace away with all that is in it, and end`

const { positionals, values } = parseArgs({
  allowPositionals: true,
  strict: false,
  options: {
    role: { type: 'string' },
    module: { type: 'string' },
    demo: { type: 'boolean' },
    remove: { type: 'boolean' },
    help: { type: 'boolean' },
  },
})

try {
  const role = values.role
  const service = values.module ?? null
  const known =
    (role === undefined || role === 'api' || role === 'worker') && (service === null || isServiceName(service))
  const command = `${positionals.join(' ') || 'serve'}${values.remove ? ' --remove' : ''}`
  const only = {
    serve: null,
    migrate: 'migrate',
    'events resend': 'resend-events',
    'demo --remove': 'remove-demo',
  } as const
  if (values.help || !isKeyOf(only, command) || !known) {
    console.log(usage)
    process.exitCode = values.help ? 0 : 2
  } else {
    const config = toConfig(readEnv(), service)
    const roles: Role[] = role === 'api' || role === 'worker' ? [role] : ['api', 'worker']
    await serve({ config, roles, demo: values.demo === true, projectFolder, only: only[command] })
  }
} catch (error) {
  // What the starter of the program can mend is said in plain words; anything else needs its stack.
  console.error(error instanceof ConfigError || error instanceof CannotStart ? error.message : error)
  process.exitCode = 1
}

function isKeyOf<T extends object>(object: T, key: PropertyKey): key is keyof T {
  return Object.hasOwn(object, key)
}

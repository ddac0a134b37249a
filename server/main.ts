/** Arguments → configuration → app → roles → wait for a signal → close. */
import { parseArgs } from 'node:util'
import { ConfigError, projectFolder, readEnv, toConfig } from './config.ts'
import { serve, type Role } from './roles/serve.ts'

const usage = `Usage:
  rapport serve [--role api|worker] [--demo]   Run Rapport; both roles when none is named
  rapport migrate                              Bring the database to this version, and end`

const { positionals, values } = parseArgs({
  allowPositionals: true,
  strict: false,
  options: { role: { type: 'string' }, demo: { type: 'boolean' }, help: { type: 'boolean' } },
})
const command = positionals[0] ?? 'serve'

try {
  const role = values.role
  const known = role === undefined || role === 'api' || role === 'worker'
  if (values.help || !['serve', 'migrate'].includes(command) || !known) {
    console.log(usage)
    process.exitCode = values.help ? 0 : 2
  } else {
    const config = toConfig(readEnv())
    const roles: Role[] = role === 'api' || role === 'worker' ? [role] : ['api', 'worker']
    await serve({ config, roles, demo: values.demo === true, projectFolder, migrateOnly: command === 'migrate' })
  }
} catch (error) {
  // What the starter of the program can mend is said in plain words; anything else needs its stack.
  console.error(error instanceof ConfigError ? error.message : error)
  process.exitCode = 1
}

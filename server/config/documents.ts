/** Writes down the table of variables for people. `npm run gen` keeps the results in the repository. */
import { describeKind, type Variable } from './kinds.ts'
import { groups } from './variables.ts'

const introduction = `# Configuration

Rapport starts with nothing configured. Each variable below changes one thing; set it in the environment, or in a file
\`.env\` in the project folder (the environment wins). An empty variable counts as absent. A secret (🔑) may also lie in a
file: \`SECRET_KEY_FILE=/run/secrets/key\`. What is wrong or half-configured is refused at the start, by name.

This page is generated from \`server/config/variables.ts\` by \`npm run gen\`.
`

/** docs/configuration.md */
export function renderConfigurationPage(): string {
  const sections = groups.map(({ title, variables }) => {
    const rows = Object.entries(variables).map(([name, variable]) => renderRow(name, variable))
    return [`## ${title}`, '', '| Variable | Default | What it does |', '| --- | --- | --- |', ...rows, ''].join('\n')
  })
  return [introduction, ...sections].join('\n')
}

/** .env.example */
export function renderEnvExample(): string {
  const sections = groups.map(({ title, variables }) => {
    const entries = Object.entries(variables).flatMap(([name, variable]) => [
      `# ${variable.description} (${describeKind(variable)})`,
      `#${name}=${variable.defaultText ? '' : writeDefault(variable)}`,
    ])
    return [`## ${title}`, ...entries, ''].join('\n')
  })
  return ['# Copy to .env and uncomment what you need. Nothing here is required.', '', ...sections].join('\n')
}

function renderRow(name: string, variable: Variable) {
  const kind = describeKind(variable)
  const fallback = variable.defaultText ?? (writeDefault(variable) && `\`${writeDefault(variable)}\``)
  const what = kind === 'text' ? variable.description : `${variable.description} ${capitalize(kind)}.`
  return `| \`${name}\`${variable.secret ? ' 🔑' : ''} | ${fallback || '–'} | ${what.replaceAll('|', '\\|')} |`
}

function writeDefault({ default: value }: Variable) {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : ''
}

function capitalize(text: string) {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

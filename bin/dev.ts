/**
 * For development: the server, started again when a file of it changes, and Vite's own server for the web application,
 * which shows a change at once. When one of the two ends, the other is ended too.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

const projectFolder = dirname(import.meta.dirname)
const children: ChildProcess[] = []

run('--watch', '--watch-preserve-output', join(projectFolder, 'server', 'main.ts'), 'serve', ...process.argv.slice(2))
if (existsSync(join(projectFolder, 'web', 'index.html'))) {
  run(join(projectFolder, 'node_modules', 'vite', 'bin', 'vite.js'), '--config', join('web', 'vite.config.ts'))
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => endAll(signal))

function run(...args: string[]) {
  const child = spawn(process.execPath, args, { cwd: projectFolder, stdio: 'inherit' })
  child.on('exit', (code) => {
    process.exitCode ||= code ?? 1
    endAll('SIGTERM')
  })
  children.push(child)
}

function endAll(signal: NodeJS.Signals) {
  for (const child of children) child.kill(signal)
}

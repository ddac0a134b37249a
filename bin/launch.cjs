/*
 * The one door: `npm start`, `npm test` and the rest begin here. It works on any Node from 20.19 on a fresh clone, brings
 * what is missing (Node 24, the libraries, the built web application), and hands over to the program. It is plain
 * CommonJS without dependencies, because it runs before anything is installed. When nothing is missing it adds some
 * tens of milliseconds: everything is judged by stamps that hold a hash.
 */
'use strict'

const { spawn } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { pathToFileURL } = require('node:url')

const project = path.join(__dirname, '..')
// Development has scripts of its own; every other word is the program's: serve, migrate, events …
const scripts = { test: 'test', 'test-scaled': 'test-scaled', check: 'check', bench: 'bench', dev: 'dev', gen: 'gen' }

const version = process.versions.node.split('.').map(Number)
if (version[0] < 20 || (version[0] === 20 && version[1] < 19)) {
  console.error(
    'Rapport needs Node 20.19 or later to start, and this is ' + process.version + '. See https://nodejs.org.',
  )
  process.exit(1)
}

main().catch(function (error) {
  console.error(error.message)
  process.exitCode = 1
})

async function main() {
  const [command = 'serve', ...args] = process.argv.slice(2)
  const { prepare } = require('./prepare.cjs')
  const node = await prepare(project, { web: ['serve', 'test', 'bench'].includes(command) })
  const script = scripts[command]
  const target = script
    ? [path.join(project, 'bin', script + '.ts')]
    : [path.join(project, 'server', 'main.ts'), command]
  // A small nursery: most of what a request or a mail makes dies young, and more room for it would only be kept.
  handOver(node, [
    '--max-semi-space-size=16',
    '--import',
    pathToFileURL(path.join(__dirname, 'end-with-launcher.mjs')).href,
    ...target,
    ...args,
  ])
}

/** Runs the program in our stead: its output, its exit code, our signals. */
function handOver(node, args) {
  const child = spawn(node, args, {
    cwd: project,
    // The fourth is a channel. The program sees it close when we die, even by SIGKILL, and ends in good order.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    // Its own group. Ctrl-C reaches us from the terminal and once more through npm; the program must see it once.
    detached: process.platform !== 'win32',
  })
  const lastSent = {}
  const forward = function (signal) {
    if (Date.now() - (lastSent[signal] || 0) < 500) return
    lastSent[signal] = Date.now()
    child.kill(signal)
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2']) process.on(signal, forward)
  stopWhenNpmDies(forward)
  child.on('error', function (error) {
    console.error('Could not start ' + node + ': ' + error.message)
    process.exit(1)
  })
  child.on('exit', function (code, signal) {
    // The shells' way to tell of a signal.
    process.exit(signal ? 128 + (require('node:os').constants.signals[signal] || 0) : code)
  })
}

/** npm passes signals on, but not its own sudden death, after which nobody would be left to stop us. */
function stopWhenNpmDies(forward) {
  if (!process.env.npm_lifecycle_event) return
  const family = ancestors()
  setInterval(function () {
    if (ancestors() !== family) forward('SIGTERM')
  }, 300).unref()
}

/** Our parent, and its parent too: npm starts a shell, which starts us, and which outlives it. */
function ancestors() {
  try {
    const status = fs.readFileSync('/proc/' + process.ppid + '/status', 'utf8')
    return process.ppid + ' of ' + /^PPid:\s*(\d+)/m.exec(status)[1]
  } catch {
    return String(process.ppid)
  }
}

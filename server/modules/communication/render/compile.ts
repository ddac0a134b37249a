/**
 * Turns what the Handlebars parser read into closures. Handlebars' own compiler writes JavaScript and evaluates it, has
 * no limits, and gave away the machine five times in a year; here nothing is evaluated, only own properties are read,
 * and every step counts (`run.ts`). `template.test.ts` compares the two on what both can do.
 */
import { compileCall, compileValue, count, fault, nameOf, type Compiling, type Read, type Scope } from './read.ts'
import type { Run } from './run.ts'
import { decodeEntities, escapeHtml, isTruthy, propertyOf, toText } from './values.ts'

type Program = hbs.AST.Program
type Write = (run: Run, scope: Scope) => void
type Loop = NonNullable<Scope['loop']>

export const linkBlock = 'rapport-link'
export const endMark = 'rapport-end'

export interface Compiled {
  write(run: Run): void
  names: ReadonlySet<string>
}

/** Throws TemplateFault for anything outside of the fixed language. */
export function compileProgram(program: Program, options: { html: boolean; own: boolean }): Compiled {
  const compiling: Compiling = { ...options, locals: [], names: new Set(), nodes: 0 }
  const write = compileBody(program, compiling)
  return {
    names: compiling.names,
    write: (run) => write(run, { context: run.root, up: null, loop: null, locals: null, outer: null }),
  }
}

function compileBody(program: Program | undefined, compiling: Compiling): Write {
  const writes = (program?.body ?? []).flatMap((statement) => compileStatement(statement, compiling) ?? [])
  return (run, scope) => {
    run.spend(1)
    for (const write of writes) write(run, scope)
  }
}

function compileStatement(node: hbs.AST.Statement, compiling: Compiling): Write | null {
  count(node, compiling)
  switch (node.type) {
    case 'ContentStatement': {
      const { value } = node as hbs.AST.ContentStatement
      return value === '' ? null : (run) => run.write(value)
    }
    case 'CommentStatement':
      return null
    case 'MustacheStatement':
      return compileMustache(node as hbs.AST.MustacheStatement, compiling)
    case 'BlockStatement':
      return compileBlock(node as hbs.AST.BlockStatement, compiling)
    case 'PartialStatement':
    case 'PartialBlockStatement':
      throw fault(node, 'Partials ({{> …}}) are not available.')
    case 'Decorator':
    case 'DecoratorBlock':
      throw fault(node, 'Decorators ({{* …}}) are not available.')
    default:
      throw fault(node, 'This cannot be used in a template.')
  }
}

function compileMustache(node: hbs.AST.MustacheStatement, compiling: Compiling): Write {
  if (compiling.own && nameOf(node.path) === endMark) return writeEnd
  const read = compileCall(node, compiling)
  const escape = compiling.html && node.escaped
  return (run, scope) => {
    run.spend(1)
    const text = toText(read(run, scope))
    if (text !== '') run.write(escape ? escapeHtml(text) : text)
  }
}

function writeEnd(run: Run): void {
  run.ended = true
  if (run.hooks) run.write(run.hooks.end(run.out))
}

function compileBlock(node: hbs.AST.BlockStatement, compiling: Compiling): Write {
  const name = nameOf(node.path)
  if (compiling.own && name === linkBlock) return compileLink(node, compiling)
  switch (name) {
    case 'if':
    case 'unless':
      return compileCondition(node, compiling, name)
    case 'each':
      return compileWith(oneValue(node, compiling, 'each'), compileParts(node, compiling), repeat)
    case 'with':
      return compileWith(oneValue(node, compiling, 'with'), compileParts(node, compiling), enter)
    default:
      if (!node.params.length && !node.hash?.pairs.length) return compileSection(node, compiling)
      return choose(compileCall({ ...node, type: 'BlockStatement' }, compiling), node, compiling)
  }
}

function oneValue(node: hbs.AST.BlockStatement, compiling: Compiling, name: string): Read {
  if (node.params.length !== 1) throw fault(node, `{{#${name}}} takes one value.`)
  return compileValue(node.params[0]!, compiling)
}

function compileCondition(node: hbs.AST.BlockStatement, compiling: Compiling, name: 'if' | 'unless'): Write {
  const value = oneValue(node, compiling, name)
  const zeroCounts = node.hash?.pairs.some((pair) => pair.key === 'includeZero') ?? false
  const test: Read = (run, scope) => {
    const found = value(run, scope)
    return (zeroCounts && found === 0) || isTruthy(found) ? name === 'if' : name === 'unless'
  }
  return choose(test, node, compiling)
}

function choose(test: Read, node: hbs.AST.BlockStatement, compiling: Compiling): Write {
  const [yes, no] = [compileBody(node.program, compiling), compileBody(node.inverse, compiling)]
  return (run, scope) => (isTruthy(test(run, scope)) ? yes : no)(run, scope)
}

function compileWith(
  value: Read,
  parts: Parts,
  act: (run: Run, scope: Scope, found: unknown, parts: Parts) => void,
): Write {
  return (run, scope) => act(run, scope, value(run, scope), parts)
}

/** `{{#things}}…{{/things}}`: a list repeats, true shows, anything else that is there becomes the context. */
function compileSection(node: hbs.AST.BlockStatement, compiling: Compiling): Write {
  const value = compileValue(node.path, compiling)
  const parts = compileParts(node, compiling)
  return (run, scope) => {
    const found = value(run, scope)
    if (Array.isArray(found)) repeat(run, scope, found, parts)
    else if (found === true) parts.body(run, inside(scope, scope.context, scope.loop, null))
    else enter(run, scope, found, parts)
  }
}

interface Parts {
  names: string[]
  body: Write
  otherwise: Write
}

function compileParts(node: hbs.AST.BlockStatement, compiling: Compiling): Parts {
  const names = node.program?.blockParams ?? []
  const before = compiling.locals
  compiling.locals = [...before, ...names]
  const body = compileBody(node.program, compiling)
  compiling.locals = before
  return { names, body, otherwise: compileBody(node.inverse, compiling) }
}

/** The turns of a list, or of an object's own properties. */
function repeat(run: Run, scope: Scope, found: unknown, { names, body, otherwise }: Parts): void {
  const keys = Array.isArray(found) ? null : typeof found === 'object' && found !== null ? Object.keys(found) : []
  const length = keys ? keys.length : (found as unknown[]).length
  if (length === 0) return otherwise(run, scope)
  for (let index = 0; index < length; index++) {
    const key = keys ? keys[index]! : index
    const item = keys ? propertyOf(found, keys[index]!) : (found as unknown[])[index]
    const loop = { index, key, first: index === 0, last: index === length - 1, outer: scope.loop }
    body(run, inside(scope, item, loop, namedValues(names, [item, key])))
  }
}

function enter(run: Run, scope: Scope, found: unknown, { names, body, otherwise }: Parts): void {
  if (!isTruthy(found)) return otherwise(run, scope)
  body(run, inside(scope, found, scope.loop, namedValues(names, [found])))
}

function namedValues(names: string[], values: unknown[]): Readonly<Record<string, unknown>> | null {
  return names.length ? Object.fromEntries(names.map((name, index) => [name, values[index]])) : null
}

/** As in Handlebars, `../` leads out of a block only where the block changed the context. */
function inside(scope: Scope, context: unknown, loop: Loop | null, locals: Scope['locals']): Scope {
  return { context, up: context === scope.context ? scope.up : scope, loop, locals, outer: scope }
}

/** `{{#rapport-link 3}}…{{/rapport-link}}` stands in a link's address; its body is the address as it was written. */
function compileLink(node: hbs.AST.BlockStatement, compiling: Compiling): Write {
  const [numberNode, fixedNode] = node.params as (hbs.AST.NumberLiteral | undefined)[]
  const number = numberNode!.value
  const body = compileBody(node.program, compiling)
  const fixed = fixedNode !== undefined
  const { html } = compiling
  return (run, scope) => {
    // The table of links has looked at an address that is the same for everyone.
    if (fixed && run.hooks) {
      const address = run.hooks.link(number, null)
      if (address !== null) return run.write(html ? escapeHtml(address) : address)
    }
    const before = run.out
    run.out = ''
    body(run, scope)
    const written = run.out
    run.out = before
    run.spend(1)
    const address = (html ? decodeEntities(written) : written).trim()
    const wrapped = run.hooks && isWebAddress(address) ? run.hooks.link(number, address) : null
    if (wrapped !== null) run.write(html ? escapeHtml(wrapped) : wrapped)
    else run.write(isHarmless(address) ? written : '#')
  }
}

export function isWebAddress(address: string): boolean {
  return /^https?:\/\//i.test(address) && URL.canParse(address)
}

/** An address that data made up: nothing that a mail program could run. */
function isHarmless(address: string): boolean {
  return !/^[\p{Cc}\s]*[a-z][a-z0-9+.-]*:/iu.test(address) || /^(https?|mailto|tel|sms):/i.test(address)
}

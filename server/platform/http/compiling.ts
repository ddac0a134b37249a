/**
 * Schemas become code when they are first needed: there are some two thousand of them, and a process that starts is asked for
 * a few. `compileAll` is for the test that shows that each of them can be.
 */
import serializers from '@fastify/fast-json-stringify-compiler'
import type { FastifyServerOptions } from 'fastify'
import type { AnyRoute } from './route.ts'
import { createValidators, type Compile, type Validator } from './validation.ts'

type Controller = NonNullable<FastifyServerOptions['schemaController']>
type BuildSerializer = NonNullable<NonNullable<Controller['compilersFactory']>['buildSerializer']>

/** How replies are written, for the server's options. */
export const buildSerializer: BuildSerializer = (schemas, options) => {
  const compile = serializers.SerializerSelector()(schemas, options)
  return (definition) => {
    let serialize: ReturnType<typeof compile> | undefined
    return (data: unknown) => (serialize ??= compile(definition))(data)
  }
}

/** How input is checked. */
export function createLazyValidators(): Compile {
  const compile = createValidators()
  return (schema, part) => {
    let ready: Validator | undefined
    const validate: Validator = (data) => {
      ready ??= compile(schema, part)
      if (ready(data)) return true
      validate.errors = ready.errors ?? null
      return false
    }
    return validate
  }
}

/** Throws for the first schema that cannot be compiled; answers how many there were. */
export function compileAll(routes: readonly AnyRoute[]): number {
  const check = createValidators()
  const write = serializers.SerializerSelector()({}, {})
  let count = 0
  for (const { options } of routes) {
    for (const [schema, part] of [
      [options.params, 'params'],
      [options.query, 'querystring'],
      [options.body, 'body'],
    ] as const) {
      if (schema && ++count) check(schema, part)
    }
    for (const [httpStatus, schema] of Object.entries(options.replies)) {
      if (++count) write({ schema, method: options.method, url: options.path, httpStatus })
    }
  }
  return count
}

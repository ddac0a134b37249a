/**
 * The closed family of errors that a client can cause. `http/problem.ts` alone turns them into replies; anything else
 * that is thrown is a fault of ours and becomes a 500 that says nothing.
 */

/** One thing wrong with the input: `pointer` is a JSON pointer into the body, or `?name` for a query parameter. */
export interface InputError {
  pointer: string
  code: string
  detail: string
}

export abstract class RapportError extends Error {
  abstract readonly status: number
  readonly code: string
  readonly errors?: InputError[]
  readonly retryAfterSeconds?: number
  /** Further members of the problem document. */
  readonly more?: Record<string, unknown>

  constructor(
    code: string,
    detail: string,
    extra: { errors?: InputError[]; retryAfterSeconds?: number; more?: Record<string, unknown> } = {},
  ) {
    super(detail)
    this.code = code
    if (extra.errors) this.errors = extra.errors
    if (extra.more) this.more = extra.more
    if (extra.retryAfterSeconds !== undefined) this.retryAfterSeconds = extra.retryAfterSeconds
  }
}

/** 422: understood, but not acceptable. `Invalid.at('/email', 'format', '…')` points at one field. */
export class Invalid extends RapportError {
  readonly status = 422
  static at(pointer: string, code: string, detail: string): Invalid {
    return new Invalid('invalid', detail, { errors: [{ pointer, code, detail }] })
  }
}

/** 401: nobody we know. */
export class Unauthenticated extends RapportError {
  readonly status = 401
}

/** 403: known, and not allowed. */
export class Forbidden extends RapportError {
  readonly status = 403
}

/** 404: absent, or not theirs to know of; the two look the same. */
export class NotFound extends RapportError {
  readonly status = 404
  constructor(what: string) {
    super('not_found', `There is no such ${what} here.`)
  }
}

/** 409: in conflict with what is there; the code names the conflict (`email_taken`). */
export class Conflict extends RapportError {
  readonly status = 409
}

/** 410: it was there once; a link that has expired or was used up. */
export class Gone extends RapportError {
  readonly status = 410
}

/** 412: `If-Match` named a version that has been changed since. */
export class Stale extends RapportError {
  readonly status = 412
  constructor() {
    super('stale', 'Somebody changed this record since you read it. Read it again, then repeat your change.')
  }
}

/** 413: larger than the stated limit. */
export class TooLarge extends RapportError {
  readonly status = 413
}

/** 415: a kind of content that this address does not take. */
export class UnsupportedMedia extends RapportError {
  readonly status = 415
}

/** 400: cannot be read at all (broken JSON, a cursor that is not ours). */
export class Unreadable extends RapportError {
  readonly status = 400
}

/** 429, with Retry-After. */
export class TooMany extends RapportError {
  readonly status = 429
}

/** Of an event: what it says makes no sense, today or ever. It is set aside at once, for somebody to look at. */
export class NotUnderstood extends RapportError {
  readonly status = 422
}

/** 503, with Retry-After: a part that this request needs does not answer. */
export class Unavailable extends RapportError {
  readonly status = 503
}

/** Not for clients: what whoever starts the program can mend. The program prints the sentence alone and ends. */
export class CannotStart extends Error {}

/** Compares the version a client read with the one that is there; call it while the row is locked. */
export function checkVersion(current: number, ifMatch: number | undefined): void {
  if (ifMatch !== undefined && ifMatch !== current) throw new Stale()
}

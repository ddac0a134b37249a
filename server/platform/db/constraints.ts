/** Write first, then say in the product's words what the database refused; looking before writing would race. */
import type { RapportError } from '#platform/errors.ts'

export async function orRefuse<T>(written: Promise<T>, refusals: Record<string, () => RapportError>): Promise<T> {
  try {
    return await written
  } catch (error) {
    const { constraint } = error as { constraint?: string }
    const refusal = constraint && Object.hasOwn(refusals, constraint) ? refusals[constraint] : undefined
    throw refusal ? refusal() : error
  }
}

/** 404 that says where to look: the ticket was merged, and `merged_into` is where its conversation goes on. */
import { RapportError } from '#platform/errors.ts'

export class MergedTicket extends RapportError {
  readonly status = 404
  readonly survivorId: string
  constructor(survivorId: string) {
    super('merged', `This ticket was merged into ${survivorId}. Ask for that one, or undo the merge.`, {
      more: { merged_into: survivorId },
    })
    this.survivorId = survivorId
  }
}

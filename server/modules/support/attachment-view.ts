/** An attachment as clients see it, in the document's words; where it lies in the store only the house is told. */
import { Type, type Static } from 'typebox'
import type { Actor } from '#platform/actor.ts'
import { Id, NullableId, OneOf, Timestamp } from '#platform/http/shapes.ts'
import { isOfTheHouse } from './access.ts'
import type { Attachment } from './tables.ts'

export const AttachmentView = Type.Object(
  {
    id: Id,
    ticket_id: Id,
    message_id: NullableId,
    user_id: Type.Unsafe<string | null>({
      type: ['string', 'null'],
      format: 'uuid',
      description: 'Who attached it; who answers for the house is not told to requesters',
    }),
    author_kind: OneOf(['requester', 'house', 'program']),
    file_name: Type.String(),
    file_path: Type.Optional(Type.String({ description: 'Its key in the file store; for the help desk alone' })),
    file_url: Type.String({
      description: 'Leads to a link that works for a few minutes, for whoever may see the file',
    }),
    file_type: OneOf(['image', 'pdf', 'document', 'text']),
    file_size: Type.Integer({ description: 'Bytes' }),
    mime_type: Type.String(),
    scan: OneOf(['not_scanned', 'clean', 'pending', 'infected'], {
      description: 'pending: waits for the virus scanner; infected: condemned and deleted',
    }),
    created_at: Timestamp,
    updated_at: Timestamp,
  },
  { $id: 'Attachment' },
)
export type AttachmentView = Static<typeof AttachmentView>

export function viewAttachment(actor: Actor, attachment: Attachment): AttachmentView {
  const { id, ticket_id } = attachment
  const isHouse = isOfTheHouse(actor)
  return {
    id,
    ticket_id,
    message_id: attachment.message_id,
    user_id: isHouse || attachment.author_kind === 'requester' ? attachment.user_id : null,
    author_kind: attachment.author_kind,
    file_name: attachment.file_name,
    ...(isHouse ? { file_path: attachment.file_key } : {}),
    file_url: `/api/v1/tickets/${ticket_id}/attachments/${id}/download`,
    file_type: attachment.file_type,
    file_size: attachment.size_bytes,
    mime_type: attachment.mime_type,
    scan: attachment.scan,
    created_at: attachment.created_at,
    updated_at: attachment.updated_at,
  }
}

/** An attachment as clients see it, in the document's words; never where the file lies. */
import { Type, type Static } from 'typebox'
import { Id, NullableId, OneOf, Timestamp } from '#platform/http/shapes.ts'
import type { Attachment } from './tables.ts'

export const AttachmentView = Type.Object(
  {
    id: Id,
    ticket_id: Id,
    message_id: NullableId,
    author_kind: OneOf(['requester', 'house', 'program']),
    file_name: Type.String(),
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
  },
  { $id: 'Attachment' },
)
export type AttachmentView = Static<typeof AttachmentView>

export function viewAttachment(attachment: Attachment): AttachmentView {
  const { id, ticket_id } = attachment
  return {
    id,
    ticket_id,
    message_id: attachment.message_id,
    author_kind: attachment.author_kind,
    file_name: attachment.file_name,
    file_url: `/api/v1/tickets/${ticket_id}/attachments/${id}/download`,
    file_type: attachment.file_type,
    file_size: attachment.size_bytes,
    mime_type: attachment.mime_type,
    scan: attachment.scan,
    created_at: attachment.created_at,
  }
}

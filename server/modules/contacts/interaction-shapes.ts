/** The shapes of the timeline, at its doors. */
import { Type } from 'typebox'
import { Invalid } from '#platform/errors.ts'
import { Id, JsonObject, NullableId, NullableText, NullableTimestamp, Timestamp } from '#platform/http/shapes.ts'

export const InteractionView = Type.Object(
  {
    id: Id,
    contact_id: Id,
    contact_name: Type.Optional(Type.String({ description: 'In lists: the name, or the address of who has none' })),
    interaction_type: Type.String(),
    description: Type.String(),
    metadata: JsonObject,
    is_hidden: Type.Boolean({
      description: 'About a ticket that whoever asks may not see: what there is to read of it is left out',
    }),
    occurred_at: Timestamp,
    recorded_at: Timestamp,
    edited_at: NullableTimestamp,
    actor: Type.Unsafe<{ id: string | null; name: string } | null>({
      type: ['object', 'null'],
      properties: { id: NullableId, name: { type: 'string' } },
    }),
    booking_id: NullableText,
    campaign_id: NullableId,
  },
  { $id: 'Interaction' },
)

/** What a person writes by hand. */
export const EntryFields = {
  description: Type.String({ minLength: 1, maxLength: 5_000, pattern: '\\S' }),
  metadata: Type.Optional(JsonObject),
  booking_id: Type.Optional(Type.String({ maxLength: 100 })),
  occurred_at: Type.Optional(Type.String({ format: 'date-time' })),
}

const metadataBytesMax = 16 * 1_024

export function refuseLongMetadata(metadata: object | undefined): void {
  if (metadata && Buffer.byteLength(JSON.stringify(metadata)) > metadataBytesMax) {
    throw Invalid.at('/metadata', 'too_long', 'Metadata holds at most 16 KB.')
  }
}

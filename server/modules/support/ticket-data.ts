/** What events tell of a ticket. */
import type { Ticket } from './tables.ts'

/** The document's fields and ours; no note, and nobody's address. */
export function ticketData(ticket: Ticket): object {
  return {
    ticket_id: ticket.id,
    ticket_number: ticket.ticket_number,
    user_id: ticket.user_id,
    contact_id: ticket.contact_id,
    assigned_to: ticket.assigned_to,
    subject: ticket.subject,
    status: ticket.status,
    priority: ticket.priority,
    category: ticket.category,
    source: ticket.source,
    created_at: ticket.created_at,
  }
}

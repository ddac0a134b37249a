/** What neighbours may use of support. */
import './tables.ts'

export { openTicket, type NewTicket } from './opening.ts'
export { addMessage, type NewMessage } from './messages.ts'
export { seedTickets, type TicketSeed } from './seeding.ts'

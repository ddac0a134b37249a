/** All doors of document 4's customers, in one list. */
import { avatarRoutes } from './avatar-routes.ts'
import { customerNoteRoutes } from './customer-note-routes.ts'
import { customerRoutes } from './customer-routes.ts'
import { customerTagRoutes } from './customer-tag-routes.ts'

export const customersRoutes = [...customerRoutes, ...customerTagRoutes, ...customerNoteRoutes, ...avatarRoutes]

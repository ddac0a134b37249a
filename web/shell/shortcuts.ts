// The keys that work everywhere outside a text field: G and a letter to go somewhere, / to search, C for a new contact,
// ? for this help. Mod+K opens the palette even while typing; Spotlight listens for it by itself.
import { useEffect } from 'react'
import { places } from './navigation.ts'
import { paths } from '../paths.ts'

export function useShortcuts(follow: (href: string) => void, showHelp: () => void): void {
  useEffect(() => {
    let goPressedAt = 0
    const onKey = (event: KeyboardEvent) => {
      if (isTyping(event) || event.ctrlKey || event.metaKey || event.altKey) return
      const key = event.key.toLowerCase()
      const place = Date.now() - goPressedAt < 1_200 ? places.find((candidate) => candidate.key === key) : undefined
      goPressedAt = key === 'g' && !place ? Date.now() : 0
      if (place) return act(event, () => follow(place.href))
      if (event.key === '?') return act(event, showHelp)
      if (key === 'c') return act(event, () => follow(paths.newContact()))
      if (key === '/') return focusSearch(event)
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [follow, showHelp])
}

function act(event: KeyboardEvent, run: () => void): void {
  event.preventDefault()
  run()
}

function focusSearch(event: KeyboardEvent): void {
  const box = document.querySelector<HTMLInputElement>('main input[type="search"]')
  if (box) act(event, () => box.focus())
}

/** Dialogs and menus have keys of their own, so the page's rest while one is open. */
function isTyping({ target }: KeyboardEvent): boolean {
  if (document.querySelector('[role="dialog"][aria-modal="true"], [role="menu"]')) return true
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
}

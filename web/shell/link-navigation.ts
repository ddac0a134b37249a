// Links are plain anchors everywhere. One listener turns a plain click on one of ours into a navigation without reload, so
// that neither the components in ui/ nor Mantine's need to know the router.
import { useRouter } from '@tanstack/react-router'
import { useCallback, useEffect } from 'react'

export function useLinkNavigation(): void {
  const follow = useFollow()
  useEffect(() => {
    const onClick = (event: MouseEvent) => {
      const href = ownLink(event)
      if (!href) return
      event.preventDefault()
      follow(href)
    }
    document.addEventListener('click', onClick)
    return () => document.removeEventListener('click', onClick)
  }, [follow])
}

/** Goes to one of our addresses. */
export function useFollow(): (href: string, mode?: 'push' | 'replace') => void {
  const router = useRouter()
  return useCallback((href, mode = 'push') => router.history[mode](href), [router])
}

function ownLink(event: MouseEvent): string | null {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
    return null
  const anchor = event.target instanceof Element ? event.target.closest('a[href]') : null
  if (!(anchor instanceof HTMLAnchorElement) || anchor.target || anchor.hasAttribute('download')) return null
  const url = new URL(anchor.href)
  const isOurs = url.origin === window.location.origin && !/^\/(api|t|u|p|docs|openapi\.json)(\/|$)/.test(url.pathname)
  if (!isOurs || (url.hash && url.pathname === window.location.pathname)) return null
  return url.pathname + url.search + url.hash
}

import { useMemo } from 'react'

type HtmlFrameProps = { html: string; title: string; height?: number | string }

/**
 * Shows HTML that somebody else wrote. The empty sandbox allows no script, no form and no navigation of ours, and the
 * base target sends links to windows that the sandbox will not open.
 */
export function HtmlFrame({ html, title, height = 560 }: HtmlFrameProps) {
  const source = useMemo(() => `<base target="_blank">${html}`, [html])
  return <iframe className="html-frame" title={title} sandbox="" srcDoc={source} style={{ height }} />
}

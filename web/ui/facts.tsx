import type { ReactNode } from 'react'

/** Names and values in columns; what is unknown shows a dash rather than nothing. */
export function Facts({ children }: { children: ReactNode }) {
  return <dl className="facts">{children}</dl>
}

export function Fact({ name, children }: { name: string; children: ReactNode }) {
  const isUnknown = children === null || children === undefined || children === '' || children === false
  return (
    <div>
      <dt>{name}</dt>
      <dd>{isUnknown ? <span className="none">–</span> : children}</dd>
    </div>
  )
}

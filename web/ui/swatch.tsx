/** A tag's or list's colour as a dot; the name beside it carries the meaning. */
export function Swatch({ color, size = 10 }: { color: string | null | undefined; size?: number }) {
  return (
    <span
      className="swatch"
      style={{ background: color ?? 'var(--mantine-color-gray-5)', width: size, height: size }}
      aria-hidden
    />
  )
}

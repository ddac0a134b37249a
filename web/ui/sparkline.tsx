type SparklineProps = { values: number[]; label: string; height?: number }

/** A small area chart in plain SVG; its label tells the same in words. */
export function Sparkline({ values, label, height = 72 }: SparklineProps) {
  const width = 300
  const top = Math.max(1, ...values)
  const step = width / Math.max(1, values.length - 1)
  const points = values.map(
    (value, index) => `${(index * step).toFixed(1)},${(height - 4 - (value / top) * (height - 12)).toFixed(1)}`,
  )
  return (
    <svg
      viewBox={`0 0 ${width} ${height}`}
      className="sparkline"
      role="img"
      aria-label={label}
      preserveAspectRatio="none"
    >
      <polygon points={`0,${height} ${points.join(' ')} ${width},${height}`} className="sparkline-area" />
      <polyline points={points.join(' ')} className="sparkline-line" vectorEffect="non-scaling-stroke" />
    </svg>
  )
}

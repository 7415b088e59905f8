/** The glyphs of badges as lines around the origin, since fonts draw them as they like, or not at all. */
import type { Badge } from "./graph-badges.ts"

export const deviceIcon = "M-4.5-5h9v7h-9zM-6.5 5h13"

const circle = (r: number): string => `M0-${r}A${r} ${r} 0 1 1 0 ${r}A${r} ${r} 0 1 1 0-${r}`
/** Eight dots on a circle. */
const dots = Array.from({ length: 8 }, (_, at) => {
  const angle = (Math.PI * at) / 4
  return `M${(4.8 * Math.cos(angle)).toFixed(1)} ${(4.8 * Math.sin(angle)).toFixed(1)}h.01`
}).join("")

export const badgeIcons: Readonly<Record<Badge["glyph"], string>> = {
  "✓": "M-4.2.4-1.2 3.4 4.4-3.2",
  "✕": "M-3.4-3.4 3.4 3.4M3.4-3.4-3.4 3.4",
  "◌": dots,
  "○": circle(4.4),
  "⊘": `${circle(4.8)}M-3.4-3.4 3.4 3.4`,
  "⌛": "M-3.4-5h6.8M-3.4 5h6.8M-2.6-5c0 4 5.2 6 5.2 10M2.6-5c0 4-5.2 6-5.2 10",
  "⑂": "M0 5.4V.6C0-1.8-3.8-1.4-3.8-5.2M0 .6C0-1.8 3.8-1.4 3.8-5.2",
}

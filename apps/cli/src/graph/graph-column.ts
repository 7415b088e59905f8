/** The same picture for narrow screens: one column under the identity, with the lines at its side. */
import { accountCard, type Card, type CardStyle, cardSvg, centreSvg, deviceCard, roomy } from "./graph-cards.ts"
import type { IdentityGraph } from "./graph-model.ts"
import { centreSize, frameSvg } from "./graph-svg.ts"

/** Fits a screen of 320 px with its margins. */
const width = 288
const indent = 24
/** Deeper ones are not moved in further: their line still tells who added them. */
const maxDepth = 3
const style: CardStyle = { ...roomy, nameSize: 12 }
const step = style.height + 16
const top = 10

interface Row {
  readonly card: Card
  readonly depth: number
  /** Row that it hangs on; undefined for the identity. */
  readonly parent: number | undefined
  readonly link: string
}

export function columnSvg(graph: IdentityGraph): string {
  const rows = rowsOf(graph)
  const first = top + centreSize.height + step / 2 + 6
  const middle = (at: number) => first + at * step
  const height = rows.length === 0 ? top + centreSize.height + 4 : middle(rows.length - 1) + step / 2 + 2
  const content = [
    `<g>${rows.map((row, at) => linkSvg(row, at, { rows, middle })).join("")}</g>`,
    `<g transform="translate(${width / 2} ${top + centreSize.height / 2})">${centreSvg(graph, centreSize)}</g>`,
    ...rows.map(({ card, depth }, at) => {
      const left = leftOf(depth)
      return `<g transform="translate(${left} ${middle(at)})">${cardSvg(card, width - left - 2, style)}</g>`
    }),
  ]
  return frameSvg(graph, { width, height }, content, "kez-column")
}

function rowsOf({ accounts, devices }: IdentityGraph): readonly Row[] {
  const accountRows = accounts.map(
    (account): Row => ({
      card: accountCard(account),
      depth: 0,
      parent: undefined,
      link: `link-${account.badge.tone}${account.isProven ? "" : " far"}`,
    }),
  )
  const deviceRows = devices.map(
    (device): Row => ({
      card: deviceCard(device),
      depth: Math.min(device.depth, maxDepth),
      parent: device.parent === undefined ? undefined : device.parent + accounts.length,
      link: device.isSuspended ? "link-warn far" : "link-muted",
    }),
  )
  return [...accountRows, ...deviceRows]
}

function leftOf(depth: number): number {
  return indent + depth * 16
}

/** Down from what it hangs on, then to the right. */
function linkSvg(
  { depth, parent, link }: Row,
  at: number,
  { rows, middle }: { readonly rows: readonly Row[]; readonly middle: (at: number) => number },
): string {
  const from = parent === undefined ? undefined : rows[parent]
  const x = from === undefined ? 12 + 2 : leftOf(from.depth) + 8
  const y = parent === undefined ? top + centreSize.height - 12 : middle(parent)
  const end = Math.max(leftOf(depth), x) + 4
  return `<path class="link ${link}" d="M${x} ${y}V${middle(at) - 8}Q${x} ${middle(at)} ${x + 8} ${middle(at)}H${end}"/>`
}

/** The facts of a graph as tables: data for the page, aligned columns for terminals, one below the other where they are too narrow. */
import { shortKey } from "../short-text.ts"
import { type AccountFacts, accountFacts, deviceBadge, shown } from "./graph-facts.ts"
import type { GraphDevice, IdentityGraph } from "./graph-model.ts"
import type { Look } from "./graph-tree.ts"
import { breakCells, cellsOf, cutCells, padCells } from "./text-cells.ts"

export interface Table {
  readonly title: string
  readonly columns: readonly string[]
  /** As many cells as there are columns; "" where there is nothing to say. */
  readonly rows: ReadonlyArray<readonly string[]>
}

const accountColumns: ReadonlyArray<readonly [title: string, fact: keyof AccountFacts]> = [
  ["Account", "account"],
  ["Status", "status"],
  ["Listed", "listed"],
  ["Expires", "expires"],
  ["Last proven", "lastProven"],
  ["Number", "number"],
  ["Looked at", "source"],
  ["Seen", "seen"],
  ["Why", "why"],
]
const deviceColumns = ["Device", "Status", "Added by", "Event"]

export function accountTable({ accounts }: IdentityGraph): Table {
  const facts = accounts.map(accountFacts)
  return {
    title: "Accounts",
    columns: accountColumns.map(([title]) => title),
    rows: facts.map((row) => accountColumns.map(([, fact]) => row[fact])),
  }
}

export function deviceTable({ devices }: IdentityGraph): Table {
  const row = (device: GraphDevice) => {
    const { glyph, word } = deviceBadge(device)
    return [device.key, `${glyph} ${word}`, shown(device.addedBy), String(device.seq)]
  }
  return { title: "Devices", columns: deviceColumns, rows: devices.map(row) }
}

const onlyTime = /^(\d{4}-\d{2}-\d{2}) \d{2}:\d{2}:\d{2} UTC$/

/** Both tables for a terminal. */
export function graphTable(graph: IdentityGraph, look: Look): string {
  const devices = deviceTable(graph)
  const short = {
    ...devices,
    rows: devices.rows.map(([key = "", status = "", by = "", seq = ""]) => [shortKey(key), status, shortKey(by), seq]),
  }
  const accounts = accountTable(graph)
  // The day is enough here: where a time matters, the tree has it whole.
  const byDay = { ...accounts, rows: accounts.rows.map((row) => row.map((cell) => cell.replace(onlyTime, "$1"))) }
  const tables = [look.isPlain ? accounts : byDay, look.isPlain ? devices : short].filter(({ rows }) => rows.length > 0)
  return tables.map((table) => tableText(withoutEmpty(table), look)).join("\n\n")
}

/** Columns in which nobody has anything say nothing. */
function withoutEmpty({ title, columns, rows }: Table): Table {
  const used = columns.map((_, at) => rows.some((row) => row[at] !== ""))
  return {
    title,
    columns: columns.filter((_, at) => used[at]),
    rows: rows.map((row) => row.filter((_, at) => used[at])),
  }
}

const gap = 2
/** A last column that is cut to less says too little. */
const minLastCells = 16

function tableText(table: Table, { width, isPlain }: Look): string {
  if (isPlain) return recordsText({ ...table, rows: table.rows.map((row) => row.map(withoutGlyph)) }, width)
  const shownColumns = fitting(table, width)
  if (shownColumns < 3) return recordsText(table, width)
  const head = table.columns.slice(0, shownColumns).map((title) => title.toUpperCase())
  const rows = [head, ...table.rows.map((row) => row.slice(0, shownColumns))]
  const widths = widthsOf(rows)
  const lastRoom = width - widths.slice(0, -1).reduce((sum, cells) => sum + cells + gap, 0)
  return rows
    .map((row) =>
      row
        .map((cell, at) => (at === shownColumns - 1 ? cutCells(cell, lastRoom) : padCells(cell, widths[at] ?? 0)))
        .join(" ".repeat(gap))
        .trimEnd(),
    )
    .join("\n")
}

/** How many columns, from the first on, have room. */
function fitting({ columns, rows }: Table, width: number): number {
  const widths = widthsOf([columns, ...rows])
  let used = 0
  for (const [at, cells] of widths.entries()) {
    const isCuttable = columns[at] === "Looked at" || columns[at] === "Seen" || columns[at] === "Why"
    if (used + (isCuttable ? Math.min(cells, minLastCells) : cells) > width) return at
    used += cells + gap
  }
  return widths.length
}

function widthsOf(rows: ReadonlyArray<readonly string[]>): readonly number[] {
  const [first = []] = rows
  return first.map((_, at) => Math.max(...rows.map((row) => cellsOf(row[at] ?? ""))))
}

/** Each row as a block: the first cell, and the others below it with their titles. */
function recordsText({ columns, rows }: Table, width: number): string {
  const label = Math.max(...columns.map(cellsOf)) + gap
  const block = (row: readonly string[]) => [
    ...breakCells(row[0] ?? "", width),
    ...row.slice(1).flatMap((cell, at) => recordLines(columns[at + 1] ?? "", cell, { label, width })),
  ]
  return rows.map((row) => block(row).join("\n")).join("\n")
}

function recordLines(
  title: string,
  cell: string,
  { label, width }: { readonly label: number; readonly width: number },
) {
  if (cell === "") return []
  const [first = "", ...more] = breakCells(cell, width - label - gap)
  return [`  ${padCells(title.toLowerCase(), label)}${first}`, ...more.map((line) => `  ${" ".repeat(label)}${line}`)]
}

function withoutGlyph(cell: string): string {
  return cell.replace(/^[✓⊘⌛◌⑂✕○] /u, "")
}

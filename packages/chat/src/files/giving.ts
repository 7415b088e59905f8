/** An offer as this device keeps it while it gives it, and as people see it. */
import type { PathKind } from "./mover.ts"
import type { OutRow, TransferView } from "./transfer.ts"

/** What one device got: bytes of connections that are over, and of the one that runs. */
interface Given {
  readonly before: number
  readonly now: number
  readonly rate: number
}

export interface Out {
  row: OutRow
  readonly hashes: ReadonlySet<string>
  /** Endpoints that may have it now. */
  peers: readonly string[]
  readonly given: Map<string, Given>
  path: PathKind
  /** Endpoints that are connected. */
  readonly connected: Set<string>
  isDeclined: boolean
}

export function beginOut(row: OutRow, hashes: ReadonlySet<string>, peers: readonly string[]): Out {
  return { row, hashes, peers, given: new Map(), path: "none", connected: new Set(), isDeclined: false }
}

const nothing: Given = { before: 0, now: 0, rate: 0 }

export function noteServed({ given }: Out, device: string, served: Pick<Given, "now" | "rate">): void {
  given.set(device, { ...(given.get(device) ?? nothing), ...served })
}

export function noteGone({ given, row }: Out, device: string): void {
  const { before, now } = given.get(device) ?? nothing
  given.set(device, { before: Math.min(before + now, row.size), now: 0, rate: 0 })
}

export function noteWhole({ given, row }: Out, device: string): void {
  given.set(device, { ...nothing, before: row.size })
}

/** As far as the device is that has most of it; the rate of all together. */
export function viewOf({ row, given, path, connected, isDeclined }: Out): TransferView {
  const { transfer: id, conversation, name, size, files, isOver } = row
  const state = isDeclined ? "declined" : isOver ? "done" : connected.size > 0 ? "running" : "waiting"
  const all = [...given.values()]
  const bytes = Math.min(size, Math.max(0, ...all.map(({ before, now }) => before + now)))
  const rate = all.reduce((sum, one) => sum + one.rate, 0)
  return { id, direction: "out", conversation, name, size, files, state, bytes, rate, path }
}

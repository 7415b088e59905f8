/** A fetch as this device keeps it while it runs, and as people see it. */
import type { PathKind } from "./mover.ts"
import type { InRow, TransferView } from "./transfer.ts"

/** One fetch, as this run knows it. */
export interface In {
  row: InRow
  bytes: number
  rate: number
  path: PathKind
  /** What runs at the mover now: the list, the files, or nothing. */
  job: string | undefined
  attempt: number
  /** Endpoints that bytes may come from now. */
  readonly connected: Set<string>
  isStopped: boolean
  /** The list of a folder came in this run. One that came before is there at once. */
  hasList: boolean
  /** Endpoints that sent wrong bytes too often in this run. */
  readonly dropped: Set<string>
}

export function beginFetch(row: InRow): In {
  return {
    ...{ row, bytes: 0, rate: 0, path: "none", job: undefined, attempt: 0 },
    ...{ connected: new Set(), isStopped: false, hasList: row.isShared === true, dropped: new Set() },
  }
}

/** What the person can put right, then go on. */
export function isSelfMade(code: string): boolean {
  return code.startsWith("store.")
}

export function isOpen({ row, isStopped }: In): boolean {
  return row.state === "waiting" && !isStopped
}

export function viewOf({ row, bytes, rate, path, job, connected }: In): TransferView {
  const { id, conversation, name, size, files, into, targets, code, reason } = row
  const isRunning = row.state === "waiting" && job !== undefined && connected.size > 0
  const [first] = targets ?? []
  const top = first === undefined ? undefined : row.listSize === undefined ? first : first.split("/")[0]
  return {
    ...{ id, direction: "in", conversation, name, size, files, bytes, rate, path },
    state: isRunning ? "running" : row.state,
    ...(top === undefined ? {} : { target: `${into}/${top}` }),
    ...(code === undefined ? {} : { code }),
    ...(reason === undefined ? {} : { reason }),
  }
}

/** Progress on stderr: one line that is redrawn on a terminal, else a line each 10 % or 5 s; with --json a line each on stdout. */
import type { TransferListener, TransferNote, TransferView } from "@kez/chat"
import type { Context } from "../context.ts"
import { note, writeErr, writeResult } from "../output.ts"
import { noteText, progressText, type TransferNames, transferJson } from "./transfer-text.ts"

const everyMs = 5_000
const drawMs = 200
const jsonMs = 500

export interface Progress {
  readonly tell: TransferListener
  /** Takes the drawn line away. */
  end(): void
}

/** `isDrawn`: false where other lines are written too. */
export function createProgress(
  context: Context,
  namesOf: (view: TransferView) => TransferNames,
  { isDrawn: mayDraw = true }: { readonly isDrawn?: boolean } = {},
): Progress {
  const { flags, terminal } = context
  const isDrawn = mayDraw && process.stderr.isTTY === true && !terminal.plain && context.env.term !== "dumb"
  const last = new Map<string, { at: number; tenth: number }>()
  let drawn = false
  const clear = (): void => {
    if (drawn) writeErr("\r\x1b[K")
    drawn = false
  }
  const isDue = ({ id, bytes, size }: TransferView): boolean => {
    const now = performance.now()
    const tenth = size === 0 ? 10 : Math.floor((bytes / size) * 10)
    const before = last.get(id)
    const wait = flags.json ? jsonMs : isDrawn ? drawMs : everyMs
    const isNext = before === undefined || now - before.at >= wait || (!isDrawn && !flags.json && tenth > before.tenth)
    if (isNext) last.set(id, { at: now, tenth })
    return isNext
  }
  const json = (view: TransferView, what: TransferNote | undefined): void =>
    writeResult(
      { schema: "kez.transfer/1", data: transferJson(view, namesOf(view).who, what), text: "", warnings: [] },
      flags,
    )
  return {
    tell(view, what) {
      if (what === undefined && (view.state !== "running" || !isDue(view))) return
      if (flags.json) return json(view, what)
      if (flags.quiet) return
      if (what === undefined && isDrawn) {
        const text = progressText(view)
        writeErr(`\r\x1b[K${text.slice(0, Math.max(20, (process.stderr.columns || 80) - 1))}`)
        drawn = true
        return
      }
      const text = what === undefined ? progressText(view) : noteText(view, what, namesOf(view))
      clear()
      if (text !== undefined) note(text)
    },
    end: clear,
  }
}

/** Waiting for what the engine does by itself, for commands that end afterwards. */
import type { Desk } from "./desk.ts"

const lookMs = 20

/** Whether it was so within the time. */
export async function untilSo(desk: Desk, timeoutMs: number, isSo: () => Promise<boolean>): Promise<boolean> {
  const { clock } = desk.ports
  let isOver = false
  const takeBack = clock.after(timeoutMs, () => {
    isOver = true
  })
  try {
    while (!isOver && !desk.isClosed) {
      if (await isSo()) return true
      await new Promise<void>((resolve) => clock.after(lookMs, resolve))
    }
    return false
  } finally {
    takeBack()
  }
}

/** One engine a store, in all tabs of a browser: a lock of the Web Locks API, which the browser gives back when a page ends, by a crash too. */
import { KezError } from "@kez/core"
import type { Locks } from "./indexed-db-api.ts"

export interface StoreLock {
  release(): void
}

/** A page that is loaded anew asks while the one before it is still being put away. */
const waitMs = 1_000

/** Throws `store.busy` where another page holds it. `onLost`: another script of this origin took it away. */
export function takeLock(locks: Locks, name: string, onLost: () => void): Promise<StoreLock> {
  return new Promise((resolve, reject) => {
    let state: "asked" | "held" | "released" = "asked"
    let end: () => void = () => undefined
    const until = new Promise<void>((settle) => {
      end = settle
    })
    const release = (): void => {
      state = "released"
      end()
    }
    const signal = AbortSignal.timeout(waitMs)
    const asked = locks.request(name, { signal }, () => {
      state = "held"
      resolve({ release })
      return until
    })
    asked.catch((error: unknown) => {
      if (state === "held") onLost()
      // Else the time is over, or this page may keep nothing.
      reject(signal.aborted ? busyFault() : error)
    })
  })
}

export function busyFault(): KezError {
  return new KezError("store.busy", "Cannot open the chat's store: another tab or window of this browser has it open", {
    hint: "One of them at a time may send with this device. Close that one, or go on there.",
  })
}

/** Messages between the socket that receives them and the one reader that takes them. SPEC §7.2. */

export interface Inbox {
  put(message: string): void
  /** Nothing comes after this. With a reason, reading throws it when everything before it has been read. */
  end(reason?: unknown): void
  /** Forgets what nobody has read yet. */
  clear(): void
  read(): AsyncGenerator<string>
}

export function createInbox(): Inbox {
  let waiting: string[] = []
  // The next one to read. Not shift(): of a long list it moves all the rest, so many small messages would take minutes.
  let at = 0
  let ending: { readonly reason: unknown } | undefined
  let wake = () => {}
  return {
    put(message) {
      if (ending !== undefined) return
      waiting.push(message)
      wake()
    },
    end(reason) {
      ending ??= { reason }
      wake()
    },
    clear() {
      waiting = []
      at = 0
    },
    async *read() {
      for (;;) {
        const next = waiting[at]
        if (next !== undefined) {
          at += 1
          if (at === waiting.length) {
            waiting = []
            at = 0
          }
          yield next
        } else if (ending?.reason !== undefined) throw ending.reason
        else if (ending !== undefined) return
        else {
          await new Promise<void>((resolve) => {
            wake = resolve
          })
        }
      }
    },
  }
}

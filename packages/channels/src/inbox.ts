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
  const waiting: string[] = []
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
      waiting.length = 0
    },
    async *read() {
      for (;;) {
        const next = waiting.shift()
        if (next !== undefined) yield next
        else if (ending?.reason !== undefined) throw ending.reason
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

/** One thing at a time for each name: what comes into a conversation reaches all mailboxes in one order, as far as this process goes. */

export interface Turns {
  take<T>(name: string, work: () => Promise<T>): Promise<T>
}

export function createTurns(): Turns {
  const last = new Map<string, Promise<unknown>>()
  return {
    take(name, work) {
      const turn = (last.get(name) ?? Promise.resolve()).then(work, work)
      const settled = turn.catch(() => undefined)
      last.set(name, settled)
      void settled.then(() => {
        if (last.get(name) === settled) last.delete(name)
      })
      return turn
    },
  }
}

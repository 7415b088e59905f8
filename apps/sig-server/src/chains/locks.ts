/** One at a time, for each name: whoever changes a chain waits for the one before. */

export interface Locks {
  /** Runs work after all earlier work for the same name. */
  run<T>(name: string, work: () => Promise<T>): Promise<T>
  /** Resolves when no work is left. */
  idle(): Promise<void>
}

export function createLocks(): Locks {
  const ends = new Map<string, Promise<unknown>>()
  return {
    async run(name, work) {
      // Whether the one before succeeded is not the business of the next.
      const turn = (ends.get(name) ?? Promise.resolve()).then(work, work)
      ends.set(name, turn)
      try {
        return await turn
      } finally {
        if (ends.get(name) === turn) ends.delete(name)
      }
    },
    async idle() {
      while (ends.size > 0) await Promise.allSettled(ends.values())
    },
  }
}

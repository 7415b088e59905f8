/** One at a time, for each name: whoever changes a chain waits for the one before. */

export interface Locks {
  /** Runs work after all earlier work for the same name. It must not throw, but reject. */
  run<T>(name: string, work: () => Promise<T>): Promise<T>
  /** Resolves when no work is left. */
  idle(): Promise<void>
}

export function createLocks(): Locks {
  const ends = new Map<string, Promise<unknown>>()
  return {
    run(name, work) {
      const before = ends.get(name)
      // Whether the one before succeeded is not the business of the next. Whoever waits for nobody begins at once.
      const turn = before === undefined ? work() : before.then(work, work)
      const leave = (): void => {
        if (ends.get(name) === turn) ends.delete(name)
      }
      ends.set(name, turn)
      turn.then(leave, leave)
      return turn
    },
    async idle() {
      while (ends.size > 0) await Promise.allSettled(ends.values())
    },
  }
}

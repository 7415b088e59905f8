/** How much is on its way to the broker at once. Whoever comes later waits in line, so that the order stays. */

export interface Gate {
  /** How many stand in line. */
  readonly waiting: number
  /** Runs `work` when there is room for so many bytes: at once, if there is. */
  pass<T>(bytes: number, work: () => Promise<T>): Promise<T>
}

/** `maxBytes` together; one that is larger than that passes alone. */
export function createGate(maxBytes: number): Gate {
  const line: { readonly bytes: number; readonly go: () => void }[] = []
  let under = 0
  let first = 0
  const next = (): void => {
    for (let head = line[first]; head !== undefined; head = line[first]) {
      if (under > 0 && under + head.bytes > maxBytes) return
      first += 1
      under += head.bytes
      head.go()
    }
    line.length = 0
    first = 0
  }
  return {
    get waiting() {
      return line.length - first
    },
    async pass(bytes, work) {
      if (line.length === 0 && (under === 0 || under + bytes <= maxBytes)) under += bytes
      else await new Promise<void>((resolve) => line.push({ bytes, go: resolve }))
      try {
        return await work()
      } finally {
        under -= bytes
        next()
      }
    },
  }
}

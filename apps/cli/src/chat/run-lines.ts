/** Commands line by line, in their order; what reads whole files goes on beside those that come after it. */

export interface LineRun {
  readonly run: (line: string) => Promise<"go" | "quit">
  /** Whether it may take minutes: what is typed after it does not wait. */
  readonly isLong: (line: string) => boolean
}

/** Until the lines end, or one says so. `settled`: when all that was begun is done; what fails there fails here as well. */
export async function runLines(
  lines: AsyncIterable<string>,
  { run, isLong }: LineRun,
): Promise<{ readonly settled: Promise<unknown> }> {
  const { promise: failed, reject } = Promise.withResolvers<never>()
  failed.catch(() => undefined) // thrown where it is raced, or by `settled`
  const jobs = new Set<Promise<unknown>>()
  const iterator = lines[Symbol.asyncIterator]()
  for (;;) {
    const next = await Promise.race([iterator.next(), failed])
    if (next.done === true) break
    if (isLong(next.value)) {
      const job = run(next.value)
      jobs.add(job)
      job.then(() => jobs.delete(job), reject)
    } else if ((await run(next.value)) === "quit") break
  }
  const settled = Promise.all(jobs)
  settled.catch(() => undefined) // whoever waits hears it
  return { settled }
}

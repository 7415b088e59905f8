/** Many tasks at once, a few of each kind: whoever is slow holds up his own lane only. */

export interface Lanes<T> {
  laneOf(item: T): string
  /** Tasks of one lane at once. */
  readonly width: number
}

/** Runs the task for every item; the results stand in the order of the items. The first failure is thrown. */
export async function inLanes<T, R>(
  items: readonly T[],
  { laneOf, width }: Lanes<T>,
  task: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const numbered = items.map((item, place) => ({ item, place }))
  const results = new Array<R>(items.length)
  const runLane = async (waiting: Iterator<{ readonly item: T; readonly place: number }>): Promise<void> => {
    for (let next = waiting.next(); next.done !== true; next = waiting.next()) {
      results[next.value.place] = await task(next.value.item)
    }
  }
  const lanes = [...Map.groupBy(numbered, ({ item }) => laneOf(item)).values()].map((lane) => lane.values())
  // One of each lane before the second of any: every lane's places are asked as early as can be.
  const workers = Array.from({ length: width }, () => lanes.map(runLane)).flat()
  await Promise.all(workers)
  return results
}

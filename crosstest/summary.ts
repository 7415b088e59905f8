/** The last lines of a cross-test, and whether it was a success. */

/** `miss`: public vectors that are not on this machine. */
export type Status = "ok" | "FAIL" | "miss"

/** Fewer that passed in a whole run are a failure: somebody lost some. */
export const floors = { classic: 19, others: 60 } as const

export interface Told {
  readonly group: string
  readonly status: Status
}

/** `isWhole`: no word chose scenarios. `isCi`: everything has to be here. */
export function summary(
  all: readonly Told[],
  { isWhole, isCi }: { readonly isWhole: boolean; readonly isCi: boolean },
): { readonly lines: readonly string[]; readonly isGood: boolean } {
  const of = (wanted: Status) => all.filter(({ status }) => status === wanted)
  const [passed, failed, missing] = [of("ok"), of("FAIL").length, of("miss").length]
  const classic = passed.filter(({ group }) => group === "classic").length
  const others = passed.length - classic
  const isBelow = isWhole && failed === 0 && (classic < floors.classic || others < floors.others)
  const faults = [
    ...(isBelow
      ? [
          `too few: ${floors.classic} classic scenarios and ${floors.others} more have to pass, got ${classic} and ${others}`,
        ]
      : []),
    ...(missing > 0
      ? [
          `public vectors that are not here: ${missing} (KEZ_PUBLIC_VECTORS names their folder); with CI=true that is a failure`,
        ]
      : []),
  ]
  const counts = [`${passed.length} passed`, `${failed} failed`, ...(missing > 0 ? [`${missing} not here`] : [])]
  const isGood = passed.length > 0 && failed === 0 && !isBelow && !(isCi && missing > 0)
  return { lines: [...faults, counts.join(", ")], isGood }
}

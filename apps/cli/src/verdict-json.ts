/** A verdict for programs: the data of `kez.verify/1`. docs/json.md */
import { formatTime } from "@kez/core"
import type { Answer } from "./consult.ts"

/** Every member is always there; what is not known is null. */
export function verdictJson({ verdict, lastProven }: Answer): Readonly<Record<string, unknown>> {
  const { claim, chain, evidence, mark: _, ...rest } = verdict
  return {
    ...rest,
    reason: rest.reason ?? null,
    primary: rest.primary ?? null,
    retryAfterSeconds: rest.retryAfterSeconds ?? null,
    checkedAt: formatTime(rest.checkedAt),
    claim: claim === undefined ? null : { ...claim, expiresAt: claim.expiresAt ?? null },
    chain: chain === undefined ? null : { ...chain, liveUntil: chain.liveUntil ?? null },
    evidence: evidence.map(({ fetchedAt, ...one }) => ({
      ...one,
      ...(fetchedAt === undefined ? {} : { fetchedAt: formatTime(fetchedAt) }),
    })),
    lastProven:
      lastProven === undefined
        ? null
        : {
            at: formatTime(lastProven.provenAt),
            primary: lastProven.primary,
            chain: lastProven.chain ?? null,
            accountId: lastProven.accountId ?? null,
          },
  }
}

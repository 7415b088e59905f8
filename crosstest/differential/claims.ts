/** Claims of some keys about some accounts: those that chains name by digest, and verdicts are asked about. */
import { formatTime } from "@kez/core"
import { now } from "../../packages/core/test/support/chains.ts"
import type { TestKey } from "../../packages/core/test/support/keys.ts"
import { next, nostrOwner, owner, thief, third } from "./keys.ts"
import { type Sealed, seal } from "./seal.ts"
import { subjects } from "./subjects.ts"

export interface MadeClaim extends Sealed {
  readonly subject: string
  readonly by: TestKey
}

/** Spellings that a claim may hold where a chain holds the canonical one. [ID-5] */
const spelled = ["github:Alice", "mastodon:@Alice@social.example", "dns:A.example.", "did:plc:abc"]

const times: readonly (readonly [created: number, expires?: number])[] = [
  [now - 86_400],
  [now - 200_000, now + 86_400],
  [now - 200_000, now - 86_400],
  [now + 301],
]

export const claims: readonly MadeClaim[] = [owner, next, third, thief, nostrOwner].flatMap((by) =>
  [...subjects, ...spelled].flatMap((subject) => times.map((time) => claimOf(subject, by, time))),
)

function claimOf(subject: string, by: TestKey, [created, expires]: readonly [number, number?]): MadeClaim {
  const payload = {
    ...{ type: "kez.claim", version: 1, subject, primary: by.key, created_at: formatTime(created) },
    ...(expires === undefined ? {} : { expires_at: formatTime(expires) }),
  }
  return { ...seal("claim", payload, by), subject, by }
}

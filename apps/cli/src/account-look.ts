/** How an account's own place is looked at, and what this computer knows of the account already. SPEC §7, VER-9 */
import type { Evidence as PlaceEvidence, Publication as PlacePublication } from "@kez/channels"
import { type Evidence, formatIdentity, KezError, parseIdentity, type SeenAccount } from "@kez/core"
import type { Look } from "./consult.ts"
import type { Context } from "./context.ts"
import { lazy } from "./lazy.ts"
import { readStore } from "./store/access.ts"

const loadTables = lazy(() => Promise.all([import("./store/verdicts.ts"), import("./store/claims.ts")]))
const loadChannels = lazy(() => import("@kez/channels"))

/** An account that some channel can look at. */
export interface Account {
  /** Canonical identity. */
  readonly subject: string
  readonly system: string
  readonly value: string
}

/** Throws `identity.*`, or `channel.unsupported` for what no channel looks at. */
export async function readAccount(typed: string): Promise<Account> {
  const { system, value } = parseIdentity(typed)
  const subject = formatIdentity({ system, value })
  const { channels, findChannel } = await loadChannels()
  if (findChannel(system) !== undefined) return { subject, system, value }
  const known = [...channels.keys()].map((name) => `${name}:`).join(", ")
  throw new KezError(
    "channel.unsupported",
    `Cannot look at ${subject}: it is a key, and keys have no place of their own`,
    {
      hint: `Accounts are looked at: ${known}. For the accounts of a key: kez graph ${subject}`,
    },
  )
}

/** What is known here of an account before anybody is asked. */
export interface Known {
  readonly seen: SeenAccount | undefined
  /** The key of the last valid verification on this computer. */
  readonly lastPrimary: string | undefined
  /** When its owner made the newest claim for it on this computer. Unix seconds. */
  readonly claimedAt: number | undefined
}

const nothingKnown: Known = { seen: undefined, lastPrimary: undefined, claimedAt: undefined }

export async function readKnown(context: Context, subject: string): Promise<Known> {
  return readStore<Known>(context, nothingKnown, async (store) => {
    const [{ loadProven }, { loadClaims }] = await loadTables()
    const proven = loadProven(store, subject)
    const seen = proven?.accountId === undefined ? undefined : { accountId: proven.accountId, primary: proven.primary }
    return { seen, lastPrimary: proven?.primary, claimedAt: loadClaims(store, { subject })[0]?.createdAt }
  })
}

/** What a channel saw, in the words of the verifier. */
export function lookOf(publication: PlacePublication): Look {
  const evidence = publication.evidence.map(placeEvidence)
  switch (publication.status) {
    case "found": {
      const { candidates, accountId, chainHints } = publication
      const account = accountId === undefined ? {} : { accountId }
      return { publication: { status: "found", candidates, ...account, evidence }, hints: chainHints }
    }
    case "absent":
      return { publication: { status: "absent", evidence }, hints: [] }
    case "invalid":
      return { publication: { status: "refused", code: publication.code, evidence }, hints: [] }
    case "unreachable": {
      const { code, retryAfterSeconds } = publication
      const retry = retryAfterSeconds === undefined ? {} : { retryAfterSeconds }
      return { publication: { status: "unreachable", code, ...retry, evidence }, hints: [] }
    }
  }
}

function placeEvidence({ url, fetchedAt, status, sha256, note, code }: PlaceEvidence): Evidence {
  return {
    kind: "place",
    source: url,
    fetchedAt,
    ...(status === undefined ? {} : { httpStatus: status }),
    ...(sha256 === undefined ? {} : { sha256 }),
    ...(note === undefined ? {} : { note }),
    ...(code === undefined ? {} : { code }),
  }
}

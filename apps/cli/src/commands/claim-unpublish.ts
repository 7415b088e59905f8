/** `kez claim unpublish`: every proof of the owner's leaves the account's own place. SPEC §7 */
import type { PlaceOutcome, Publication } from "@kez/channels"
import { KezError } from "@kez/core"
import { type Account, readAccount } from "../account-look.ts"
import { exitCodes } from "../exit-codes.ts"
import { currentIdentity } from "../keys/signers.ts"
import { holds, lookUntil } from "../publish/confirm.ts"
import { credentialsFor } from "../publish/credentials.ts"
import { isOwnProof, knownAccountOf, type Owner, readOwner } from "../publish/own-proof.ts"
import { outcomeLines, readWait, unpublishable } from "../publish/words.ts"
import type { Handler, Outcome } from "../run.ts"
import type { PublishOptions } from "./claim-publish.ts"
import { readDemands } from "./verify-options.ts"

type UnpublishOptions = Pick<PublishOptions, "resolver" | "timeout" | "wait" | "credentialFile" | "acceptNewAccount">

/** A list of posts, and one request for each that goes. */
const requests = 12

export const run: Handler<UnpublishOptions> = async (context, { args: [typed = ""], ...options }) => {
  const account = await readAccount(typed)
  if (account.system === "dns") throw byHand(account)
  const { findPublisher, withDeadline } = await import("@kez/channels")
  const publisher = findPublisher(account.system)
  if (publisher === undefined) throw unpublishable(account.subject)
  const { subject, value } = account
  const waitSeconds = readWait(options.wait, 60)
  const owner = await readOwner(context, (await currentIdentity(context)).key)
  const demands = await readDemands(context, options)
  const { timeoutMs } = demands
  const net = await demands.net()
  const credentials = await credentialsFor(context, { publisher, subject, credentialFile: options.credentialFile })
  const isOurs = (text: string): boolean => isOwnProof(owner, text)
  const request = { value, credentials, isOurs, knownAccountId: knownAccountOf(owner, subject, options) }
  const limit = { timeoutMs: requests * timeoutMs, task: `unpublish ${subject}` }
  const { outcomes } = await withDeadline(limit, (signal) => publisher.unpublish(request, net, signal))
  // What has to be taken away by hand does not go by waiting for it.
  const patience = outcomes.every(({ accepted }) => accepted) ? waitSeconds : 0
  const isDone = (seen: Publication): boolean => seen.status !== "unreachable" && !holds(seen, isOurs)
  const seen = await lookUntil(context, { account, net, timeoutMs, waitSeconds: patience, isDone })
  return describe(owner, subject, { outcomes, isStillSeen: isSeen(seen, isOurs) })
}

/** Undefined where the place did not answer. */
function isSeen(publication: Publication, isOurs: (text: string) => boolean): boolean | undefined {
  return publication.status === "unreachable" ? undefined : holds(publication, isOurs)
}

interface Unpublished {
  readonly outcomes: readonly PlaceOutcome[]
  readonly isStillSeen: boolean | undefined
}

function describe(owner: Owner, subject: string, { outcomes, isStillSeen }: Unpublished): Outcome {
  return {
    schema: "kez.unpublish/1",
    data: {
      subject,
      outcomes: outcomes.map(({ url, accepted, note }) => ({ url, accepted, note: note ?? null })),
      still_seen: isStillSeen ?? null,
    },
    text: [...outcomeLines(outcomes), lastLine(subject, outcomes, isStillSeen)].join("\n"),
    exitCode:
      isStillSeen === true ? exitCodes.failure : isStillSeen === undefined ? exitCodes.unreachable : exitCodes.ok,
    ...nextAfter(owner, subject),
  }
}

function lastLine(subject: string, outcomes: readonly PlaceOutcome[], isStillSeen: boolean | undefined): string {
  if (isStillSeen === undefined) return `◌ ${subject} cannot be looked at: whether it still shows a proof is not known`
  if (!isStillSeen) return `✓ ${subject} shows no proof of yours${outcomes.length === 0 ? "" : " any more"}`
  const isByHand = outcomes.some(({ accepted }) => !accepted)
  return `✕ ${subject} still shows a proof of yours: ${isByHand ? "see above" : "its caches may take a while"}`
}

/** A missing proof is merely "not found", and an old copy could be put up again: only the chain ends it for good. */
function nextAfter({ chain }: Owner, subject: string): Pick<Outcome, "next"> {
  const isRevoked = chain?.state.subjects.get(subject)?.status === "revoked"
  return isRevoked ? {} : { next: `if the account is not to be yours any more: kez sigchain revoke ${subject}` }
}

function byHand({ subject, value }: Account): KezError {
  return new KezError("channel.unsupported", `Cannot unpublish ${subject}: a zone is edited by its owner alone`, {
    hint: `Remove the TXT record _kez.${value} from the zone.\nIf the domain is not to be yours any more: kez sigchain revoke ${subject}`,
  })
}

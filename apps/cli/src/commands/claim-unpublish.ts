/** `kez claim unpublish`: every proof of the owner's leaves the account's own place. SPEC §7 */
import type { Publication } from "@kez/channels"
import { KezError } from "@kez/core"
import { type Account, readAccount } from "../account-look.ts"
import { currentIdentity } from "../keys/signers.ts"
import { lookUntil } from "../publish/confirm.ts"
import { credentialsFor } from "../publish/credentials.ts"
import { isOwnProof, type Owner, readOwner } from "../publish/own-proof.ts"
import { outcomeLines, readWait, unpublishable } from "../publish/words.ts"
import type { Handler, Outcome } from "../run.ts"
import type { PublishOptions } from "./claim-publish.ts"
import { readDemands } from "./verify-options.ts"

type UnpublishOptions = Pick<PublishOptions, "resolver" | "timeout" | "wait" | "credentialFile">

export const run: Handler<UnpublishOptions> = async (context, { args: [typed = ""], ...options }) => {
  const account = await readAccount(typed)
  if (account.system === "dns") throw byHand(account)
  const { findPublisher } = await import("@kez/channels")
  const publisher = findPublisher(account.system)
  if (publisher === undefined) throw unpublishable(account.subject)
  const { subject, value } = account
  const waitSeconds = readWait(options.wait, 30)
  const owner = await readOwner(context, (await currentIdentity(context)).key)
  const demands = await readDemands(context, options)
  const net = await demands.net()
  const credentials = await credentialsFor(context, { publisher, subject, credentialFile: options.credentialFile })
  const isOurs = (text: string): boolean => isOwnProof(owner, text)
  const request = { value, credentials, isOurs }
  const { outcomes } = await publisher.unpublish(request, net, AbortSignal.timeout(6 * demands.timeoutMs))
  const isDone = (publication: Publication): boolean => !isThere(publication, isOurs)
  const seen = await lookUntil(context, { account, net, timeoutMs: demands.timeoutMs, waitSeconds, isDone })
  return {
    schema: "kez.unpublish/1",
    data: {
      subject,
      outcomes: outcomes.map(({ url, accepted, note }) => ({ url, accepted, note: note ?? null })),
      still_seen: !isDone(seen),
    },
    text: [
      ...outcomeLines(outcomes),
      outcomes.length === 0 ? `✓ ${subject} shows no proof of yours` : `✓ ${subject}: what was yours is taken away`,
    ].join("\n"),
    ...(isDone(seen) ? {} : { warnings: ["the place still shows it; caches may take a while"] }),
    ...nextAfter(owner, subject),
  }
}

/** A missing proof is merely "not found", and an old copy could be put up again: only the chain ends it for good. */
function nextAfter({ chain }: Owner, subject: string): Pick<Outcome, "next"> {
  const isRevoked = chain?.state.subjects.get(subject)?.status === "revoked"
  return isRevoked ? {} : { next: `kez sigchain revoke ${subject}, if the account is not yours any more` }
}

function isThere(publication: Publication, isOurs: (text: string) => boolean): boolean {
  return publication.status === "found" && publication.candidates.some(({ text }) => isOurs(text))
}

function byHand({ subject, value }: Account): KezError {
  return new KezError("channel.unsupported", `Cannot unpublish ${subject}: a zone is edited by its owner alone`, {
    hint: `Remove the TXT record _kez.${value} from the zone, then: kez sigchain revoke ${subject}`,
  })
}

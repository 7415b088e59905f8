/** `kez claim publish`: the proof goes to the account's own place, is looked for there, and listed in the chain. SPEC §7 */
import type { PlaceOutcome, Publication, Publisher, PublishPlace } from "@kez/channels"
import { KezError, type Signer } from "@kez/core"
import { type Account, readAccount } from "../account-look.ts"
import type { Context } from "../context.ts"
import { currentIdentity, signerFor } from "../keys/signers.ts"
import type { Extended } from "../own-chain.ts"
import { lookUntil } from "../publish/confirm.ts"
import { credentialsFor } from "../publish/credentials.ts"
import { finishPublication } from "../publish/finish.ts"
import { listAccount } from "../publish/listing.ts"
import { holdsProof, type Owner, type OwnProof, proofFor, readOwner, referenceTo } from "../publish/own-proof.ts"
import { once, readWait, unpublishable } from "../publish/words.ts"
import type { Handler, Outcome } from "../run.ts"
import { readDemands, type VerifyOptions } from "./verify-options.ts"

export interface PublishOptions extends Pick<VerifyOptions, "resolver" | "timeout"> {
  readonly place?: string
  readonly credentialFile?: string
  readonly expires?: string
  readonly chainHint?: string
  /** Seconds, as typed. */
  readonly wait?: string
}

export const run: Handler<PublishOptions> = async (context, { args: [typed = ""], ...options }) => {
  const account = await readAccount(typed)
  if (account.system === "dns") {
    const { publishDns } = await import("./claim-publish-dns.ts")
    return publishDns(context, account, options)
  }
  const { findPublisher } = await import("@kez/channels")
  const publisher = findPublisher(account.system)
  if (publisher === undefined) throw unpublishable(account.subject)
  return publish(context, {
    account,
    publisher,
    place: choosePlace(publisher, account.subject, options.place),
    options,
  })
}

interface Work {
  readonly account: Account
  readonly publisher: Publisher
  readonly place: PublishPlace
  readonly options: PublishOptions
}

async function publish(context: Context, { account, publisher, place, options }: Work): Promise<Outcome> {
  const { subject } = account
  const waitSeconds = readWait(options.wait, 60)
  const { key } = await currentIdentity(context)
  const signer = once(() => signerFor(context))
  const demands = await readDemands(context, options)
  const net = await demands.net()
  // Before anything is signed or appended: a missing token must leave nothing behind.
  const credentials = await credentialsFor(context, { publisher, subject, credentialFile: options.credentialFile })
  const begun = place.form === "reference" ? await beginChain(context, { key, signer, subject }) : undefined
  const owner = await readOwner(context, key)
  const proof = await proofOf(context, { ...owner, signer }, { place, subject, options })
  const request = { value: account.value, place, texts: proof.texts, credentials }
  const { outcomes } = await publisher.publish(request, net, AbortSignal.timeout(6 * demands.timeoutMs))
  for (const { url, accepted } of outcomes) if (accepted) context.terminal.progress(`published at ${url}`)
  const isDone = (publication: Publication): boolean => isThere(publication, proof, owner)
  const publication = await lookUntil(context, { account, net, timeoutMs: demands.timeoutMs, waitSeconds, isDone })
  if (!isDone(publication)) throw unconfirmed(subject, publication, outcomes)
  const work = { account, place: place.name, form: place.form, proof, key, demands, signer }
  return finishPublication(context, work, { publication, outcomes, begun })
}

/** A reference proves nothing before the chain lists the account; the permanent number follows once it was seen. */
async function beginChain(
  context: Context,
  { key, signer, subject }: { readonly key: string; readonly subject: string; signer(): Promise<Signer> },
): Promise<Extended | undefined> {
  const { chain } = await readOwner(context, key)
  if (chain?.state.subjects.get(subject)?.status === "active") return undefined
  return listAccount(context, { key, signer: await signer(), subject, accountId: undefined, proof: undefined })
}

async function proofOf(
  context: Context,
  owner: Owner & { signer(): Promise<Signer> },
  { place, subject, options }: Pick<Work, "place" | "options"> & { readonly subject: string },
): Promise<OwnProof> {
  if (place.form === "reference" && owner.chain !== undefined) return referenceTo(owner.chain)
  const { expires, chainHint } = options
  return proofFor(context, owner, {
    subject,
    ...(expires === undefined ? {} : { expires }),
    ...(chainHint === undefined || place.form !== "markdown" ? {} : { chainHint }),
  })
}

function isThere(publication: Publication, proof: OwnProof, { chain }: Owner): boolean {
  return publication.status === "found" && publication.candidates.some(({ text }) => holdsProof(text, proof, chain))
}

function choosePlace({ places }: Publisher, subject: string, wanted: string | undefined): PublishPlace {
  const place = wanted === undefined ? places[0] : places.find(({ name }) => name === wanted)
  if (place !== undefined) return place
  const names = places.map(({ name, about }) => `${name} (${about})`).join(", ")
  throw new KezError("usage", `Cannot publish ${subject} there: expected --place ${names}`)
}

function unconfirmed(subject: string, seen: Publication, outcomes: readonly PlaceOutcome[]): KezError {
  const where = outcomes.find(({ accepted }) => accepted)?.url ?? "its place"
  const note = seen.evidence.findLast((one) => one.note !== undefined)?.note
  const again = `Look again: kez verify id ${subject}, then run this command once more`
  return new KezError(
    "publish.unconfirmed",
    `Cannot confirm the proof of ${subject}: it was published at ${where}, and is not seen there yet`,
    { hint: note === undefined ? again : `The last look said: ${note}\n${again}` },
  )
}

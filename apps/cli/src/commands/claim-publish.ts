/** `kez claim publish`: the proof goes to the account's own place, is looked for there, and listed in the chain. SPEC §7 */
import type { Publication, Publisher, PublishPlace } from "@kez/channels"
import { KezError, parseClaimTime, type Signer } from "@kez/core"
import { type Account, readAccount } from "../account-look.ts"
import type { Context } from "../context.ts"
import { currentIdentity, signerFor } from "../keys/signers.ts"
import type { Extended } from "../own-chain.ts"
import { assertHint } from "../own-claims.ts"
import { holds, lookUntil } from "../publish/confirm.ts"
import { credentialsFor } from "../publish/credentials.ts"
import { finishPublication } from "../publish/finish.ts"
import { listAccount } from "../publish/listing.ts"
import {
  holdsProof,
  knownAccountOf,
  type Owner,
  type OwnProof,
  proofFor,
  readOwner,
  referenceTo,
} from "../publish/own-proof.ts"
import { assertCanList } from "../publish/own-right.ts"
import { lastNotes, readWait, unpublishable } from "../publish/words.ts"
import type { Handler, Outcome } from "../run.ts"
import { readDemands, type VerifyOptions } from "./verify-options.ts"

export interface PublishOptions extends Pick<VerifyOptions, "resolver" | "timeout"> {
  readonly place?: string
  readonly credentialFile?: string
  readonly expires?: string
  readonly chainHint?: string
  /** A server of the zone. */
  readonly nameServer?: string
  /** The name belongs to another account than the chain says, and that is right. */
  readonly acceptNewAccount?: boolean
  /** Seconds, as typed. */
  readonly wait?: string
}

/** A publisher asks its place a few things one after the other, each for as long as one place may take. */
const requests = 6

export const run: Handler<PublishOptions> = async (context, { args: [typed = ""], ...options }) => {
  const account = await readAccount(typed)
  if (account.system === "dns") {
    const { publishDns } = await import("./claim-publish-dns.ts")
    return publishDns(context, account, options)
  }
  const { findPublisher } = await import("@kez/channels")
  const publisher = findPublisher(account.system)
  if (publisher === undefined) throw unpublishable(account.subject)
  const place = choosePlace(publisher, account.subject, options.place)
  assertOptions(place, account.subject, options)
  return publish(context, { account, publisher, place, options })
}

interface Work {
  readonly account: Account
  readonly publisher: Publisher
  readonly place: PublishPlace
  readonly options: PublishOptions
}

/** What was signed once the place had accepted the credentials. */
interface Made {
  readonly owner: Owner
  readonly proof: OwnProof
  readonly begun: Extended | undefined
}

async function publish(context: Context, { account, publisher, place, options }: Work): Promise<Outcome> {
  const { subject, value } = account
  const waitSeconds = readWait(options.wait, 60)
  const { key } = await currentIdentity(context)
  const before = await readOwner(context, key)
  await assertCanList(context, before, place.form)
  const demands = await readDemands(context, options)
  const net = await demands.net()
  const credentials = await credentialsFor(context, { publisher, subject, credentialFile: options.credentialFile })
  const signer = await signerFor(context)
  const made: Made[] = []
  const makeText = async (accountId: string): Promise<string> => {
    const one = await makeProof(context, { key, signer, subject, accountId, place, options })
    made.push(one)
    return one.proof.texts[place.form]
  }
  const request = { value, place, credentials, makeText, knownAccountId: knownAccountOf(before, subject, options) }
  const { withDeadline } = await import("@kez/channels")
  const limit = { timeoutMs: requests * demands.timeoutMs, task: `publish ${subject}` }
  const { outcomes } = await withDeadline(limit, (signal) => publisher.publish(request, net, signal)).catch((error) => {
    for (const { begun } of made) warnListed(context, subject, begun)
    throw error
  })
  const [one] = made
  if (one === undefined) throw new Error(`${place.name} was written to without a text`)
  const { owner, proof, begun } = one
  const publication = await lookUntil(context, {
    account,
    net,
    timeoutMs: demands.timeoutMs,
    waitSeconds,
    claimedAt: proof.claim === undefined ? undefined : parseClaimTime(proof.claim.payload.created_at),
    where: outcomes.find(({ accepted }) => accepted)?.url,
    isDone: (seen) => holds(seen, (text) => holdsProof(text, proof, owner.chain)),
  })
  if (!holds(publication, (text) => holdsProof(text, proof, owner.chain))) throw unconfirmed(subject, publication)
  const wasRevoked = before.chain?.state.subjects.get(subject)?.status === "revoked"
  const work = { account, place: place.name, form: place.form, proof, key, demands, signer, wasRevoked }
  return finishPublication(context, work, { publication, outcomes, begun })
}

interface Making {
  readonly key: string
  readonly signer: Signer
  readonly subject: string
  readonly accountId: string
  readonly place: PublishPlace
  readonly options: PublishOptions
}

/** A reference proves nothing before the chain lists the account, so that comes first. */
async function makeProof(context: Context, making: Making): Promise<Made> {
  const { key, signer, subject, accountId, place, options } = making
  const { expires, chainHint } = options
  if (place.form === "reference") {
    const begun = await listAccount(context, { key, signer, subject, accountId, proof: undefined })
    const owner = { key, chain: begun.replay }
    return { owner, proof: referenceTo(begun.replay, chainHint), begun }
  }
  const owner = await readOwner(context, key)
  const proof = await proofFor(context, owner, {
    subject,
    signer: async () => signer,
    ...(expires === undefined ? {} : { expires }),
    ...(chainHint === undefined ? {} : { chainHint }),
  })
  return { owner, proof, begun: undefined }
}

function warnListed(context: Context, subject: string, begun: Extended | undefined): void {
  for (const { payload } of begun?.events ?? []) {
    context.warn(`${subject} is listed as event ${payload.seq} of your chain all the same, and is not published`)
  }
}

function choosePlace({ places }: Publisher, subject: string, wanted: string | undefined): PublishPlace {
  const place = wanted === undefined ? places[0] : places.find(({ name }) => name === wanted)
  if (place !== undefined) return place
  const names = places.map(({ name, about }) => `${name} (${about})`).join(", ")
  throw new KezError("usage", `Cannot publish ${subject} there: expected --place ${names}`)
}

/** An option that would do nothing is a mistake that its owner should hear of. */
function assertOptions(place: PublishPlace, subject: string, { expires, chainHint, nameServer }: PublishOptions): void {
  if (nameServer !== undefined) {
    throw new KezError("usage", `Cannot use --name-server for ${subject}: expected a domain, dns:…`)
  }
  if (place.form === "reference" && expires !== undefined) {
    throw new KezError("usage", `Cannot use --expires here: a ${place.name} holds a reference, which names your chain`)
  }
  if (chainHint === undefined) return
  if (place.form !== "markdown" && place.takesHint !== true) {
    throw new KezError("usage", `Cannot use --chain-hint here: in ${place.name} there is no room beside the proof`)
  }
  assertHint("markdown", chainHint)
}

function unconfirmed(subject: string, seen: Publication): KezError {
  const notes = lastNotes(seen)
  const again = "Run the same command again in a while: it looks once more, and then lists the account in your chain"
  return new KezError(
    "publish.unconfirmed",
    `Cannot confirm the proof of ${subject}: it was published, and is not seen there yet`,
    { hint: notes === "" ? again : `The last look said: ${notes}\n${again}` },
  )
}

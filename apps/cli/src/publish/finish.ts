/** What follows a proof that is seen in its place: the `add` in the owner's chain, the verdict of a reader, and what is told. */
import type { PlaceOutcome, Publication, ServerReport } from "@kez/channels"
import type { Signer } from "@kez/core"
import { type Account, lookOf } from "../account-look.ts"
import { eventJson } from "../chain-json.ts"
import type { Answer } from "../consult.ts"
import type { Context } from "../context.ts"
import type { Extended } from "../own-chain.ts"
import type { Outcome } from "../run.ts"
import { exitCodeOfVerdict, verdictText } from "../verdict-text.ts"
import type { Demands } from "../verify-accounts.ts"
import { listAccount } from "./listing.ts"
import type { OwnProof } from "./own-proof.ts"
import { outcomeLines, type ProofPlace, reportJson, warnCaches } from "./words.ts"

export interface Publishing {
  readonly account: Account
  /** Name of the place, such as `gist`. */
  readonly place: string
  readonly form: ProofPlace
  readonly proof: OwnProof
  /** The key in use. */
  readonly key: string
  readonly demands: Demands
  readonly signer: Signer
  /** Whether the chain had revoked the account until now. */
  readonly wasRevoked: boolean
}

export interface Seen {
  /** The look that showed the proof. */
  readonly publication: Publication
  readonly outcomes?: readonly PlaceOutcome[]
  /** For a zone: what each DNS server showed at the end. */
  readonly servers?: readonly ServerReport[]
  /** What was appended before the place could be written to. */
  readonly begun?: Extended | undefined
}

/** Lists the account with its permanent number and its claim, judges as any reader would, and describes it all. */
export async function finishPublication(context: Context, work: Publishing, seen: Seen): Promise<Outcome> {
  const { account, proof, key, signer } = work
  const { publication, begun } = seen
  const accountId = publication.status === "found" ? publication.accountId : undefined
  const listed = await listAccount(context, { key, signer, subject: account.subject, accountId, proof: proof.digest })
  const answer = await judge(context, work, publication)
  return describe(context, work, seen, { answer, extended: begun === undefined ? [listed] : [begun, listed] })
}

/** With what this computer knows of the chain. The place is not asked again. */
async function judge(context: Context, { account, demands }: Publishing, publication: Publication): Promise<Answer> {
  const { consult } = await import("../consult.ts")
  const { requireChain, requireFresh, documents, stores, timeoutMs, net } = demands
  const look = async () => lookOf(publication)
  const demanded = { requireChain, requireFresh, documents, stores, timeoutMs, net }
  return consult(context, { subject: account.subject, ...demanded, look })
}

async function describe(
  context: Context,
  { account, place, form, proof, wasRevoked }: Publishing,
  { outcomes = [], servers = [] }: Seen,
  { answer, extended }: { readonly answer: Answer; readonly extended: readonly Extended[] },
): Promise<Outcome> {
  const { subject } = account
  const events = extended.flatMap((one) => one.events)
  const again = wasRevoked ? ", again after it was revoked" : ""
  const needed = form === "reference" ? "publish the chain, which readers need to check this" : "publish the chain"
  const data = context.flags.json
    ? {
        subject,
        place,
        form,
        claim: proof.digest ?? null,
        outcomes: outcomes.map(({ url, accepted, note }) => ({ url, accepted, note: note ?? null })),
        servers: servers.map(reportJson),
        chain: extended.at(-1)?.replay.chain ?? null,
        events: events.map(eventJson),
        verdict: (await import("../verdict-json.ts")).verdictJson(answer),
      }
    : undefined
  return {
    schema: "kez.publish/1",
    data,
    text: [
      ...outcomeLines(outcomes),
      verdictText(withoutLooks(answer), context.terminal.color),
      ...events.map(({ payload: { seq } }) => `✓ ${subject} is listed as event ${seq} of your chain${again}`),
    ].join("\n"),
    exitCode: exitCodeOfVerdict(answer.verdict),
    warnings: [...warnBegun(extended), ...warnFew(outcomes), ...(await silentCaches(context, servers))],
    ...(events.length === 0 ? {} : { next: `${needed}: kez sigchain publish` }),
  }
}

/** Who has just published reads that it is proven; where it is not, all that was looked at tells why. */
function withoutLooks(answer: Answer): Answer {
  const { verdict } = answer
  return verdict.status === "valid" ? { ...answer, verdict: { ...verdict, evidence: [] } } : answer
}

/** Two chains of one key contradict each other for ever, and nobody but the owner knows of the first. */
function warnBegun(extended: readonly Extended[]): readonly string[] {
  const isBegun = extended.some(({ events }) => events.some((event) => event.payload.seq === 0))
  const text = "this began a new chain; if this identity has one on another computer, publish nothing of this one"
  return isBegun ? [text] : []
}

/** On a screen they were told while it waited. */
async function silentCaches({ flags }: Context, servers: readonly ServerReport[]): Promise<readonly string[]> {
  return flags.json || flags.quiet ? warnCaches(servers) : []
}

function warnFew(outcomes: readonly PlaceOutcome[]): readonly string[] {
  const accepted = outcomes.filter((outcome) => outcome.accepted).length
  return outcomes.length > 1 && accepted < 2 ? ["only one place took it: others may not find it"] : []
}

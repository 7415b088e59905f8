/** `kez claim publish dns:…`: prints the zone lines, and waits until name servers and public resolvers show them. SPEC §7.1 */
import type { Publication, ServerReport } from "@kez/channels"
import { type Claim, KezError } from "@kez/core"
import type { Account } from "../account-look.ts"
import type { Context } from "../context.ts"
import { currentIdentity, signerFor } from "../keys/signers.ts"
import { openResolver } from "../network.ts"
import { writeOut } from "../output.ts"
import { claimText } from "../own-claims.ts"
import { lookUntil } from "../publish/confirm.ts"
import { finishPublication } from "../publish/finish.ts"
import { holdsProof, proofFor, readOwner } from "../publish/own-proof.ts"
import { once, readWait } from "../publish/words.ts"
import type { Outcome } from "../run.ts"
import type { PublishOptions } from "./claim-publish.ts"
import { readDemands } from "./verify-options.ts"

/** A new record is seen within minutes; one that was asked for too early, after the zone's negative TTL. */
const usualWaitSeconds = 600

/** `--resolver` names a server of the zone, in place of those that its NS records name. */
export async function publishDns(context: Context, account: Account, options: PublishOptions): Promise<Outcome> {
  const waitSeconds = readWait(options.wait, usualWaitSeconds)
  if (options.place !== undefined || options.credentialFile !== undefined) {
    throw new KezError("usage", "Cannot use --place and --credential-file for a domain: its zone is edited by hand")
  }
  const { subject, value } = account
  const { expires, chainHint } = options
  const { key } = await currentIdentity(context)
  const signer = once(() => signerFor(context))
  const demands = await readDemands(context, options)
  const net = await demands.net()
  const owner = await readOwner(context, key)
  const proof = await proofFor(
    context,
    { ...owner, signer },
    { subject, ...(expires === undefined ? {} : { expires }), ...(chainHint === undefined ? {} : { chainHint }) },
  )
  if (proof.claim !== undefined) tellLines(context, proof.claim, chainHint)
  const wanted = [proof.texts.compact, ...(chainHint === undefined ? [] : [`Chain: ${chainHint}`])]
  const servers = await watch(context, { domain: value, wanted, waitSeconds, options, timeoutMs: demands.timeoutMs })
  const isDone = (publication: Publication): boolean =>
    publication.status === "found" && publication.candidates.some(({ text }) => holdsProof(text, proof, owner.chain))
  const publication = await lookUntil(context, { account, net, timeoutMs: demands.timeoutMs, waitSeconds: 0, isDone })
  if (!isDone(publication)) throw await unconfirmed(subject, servers)
  const work = { account, place: "zone", form: "dns", proof, key, demands, signer } as const
  return finishPublication(context, work, { publication, servers })
}

/** At once, because their owner has to paste them while this command waits. */
function tellLines(context: Context, claim: Claim, chainHint: string | undefined): void {
  const lines = claimText(claim, "dns", chainHint === undefined ? {} : { chainHint })
  if (context.flags.json) context.terminal.progress(lines)
  else writeOut(`${lines}\n`)
  context.terminal.progress("put this into your zone; now waiting until it is seen. Ctrl-C leaves, and loses nothing")
}

interface Watch {
  readonly domain: string
  readonly wanted: readonly string[]
  readonly waitSeconds: number
  readonly timeoutMs: number
  readonly options: PublishOptions
}

/** What every server showed in the last look. */
async function watch(
  context: Context,
  { domain, wanted, waitSeconds, timeoutMs, options }: Watch,
): Promise<readonly ServerReport[]> {
  const { describeReports, watchRecords } = await import("@kez/channels")
  const open = context.settings.publicResolvers.value
  const request = {
    domain,
    wanted,
    limitMs: waitSeconds * 1_000,
    ...(options.resolver === undefined ? {} : { servers: [options.resolver] }),
    ...(open.length === 0 ? {} : { publicResolvers: open }),
  }
  const tools = { resolver: openResolver(context, { timeoutMs }), signal: new AbortController().signal }
  let reports: readonly ServerReport[] = []
  let told = ""
  for await (const round of watchRecords(request, tools)) {
    reports = round.reports
    const lines = describeReports(reports)
    // Only what changed is told: a wait of ten minutes would otherwise fill the screen.
    if (lines.join("\n") !== told) for (const line of lines) context.terminal.progress(line)
    told = lines.join("\n")
  }
  return reports
}

async function unconfirmed(subject: string, reports: readonly ServerReport[]): Promise<KezError> {
  const { describeReports, longestCache } = await import("@kez/channels")
  const missing = reports.filter(({ view }) => view.state !== "shown")
  const [first = "no server showed it"] = describeReports(missing)
  const cached = longestCache(reports)
  const when = cached === undefined ? "" : ` in ${cached} s`
  return new KezError("publish.unconfirmed", `Cannot confirm the proof of ${subject}: ${first}`, {
    hint: `Look again${when}: kez verify id ${subject}\nWhat else can be wrong: kez help dns`,
  })
}

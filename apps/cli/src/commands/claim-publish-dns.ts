/** `kez claim publish dns:…`: prints the zone lines, and waits until name servers and public resolvers show them. SPEC §7.1 */
import type { Net, Publication, ServerReport, WatchRound } from "@kez/channels"
import { type Claim, KezError, type Signer } from "@kez/core"
import type { Account } from "../account-look.ts"
import type { Context } from "../context.ts"
import { currentIdentity, signerFor } from "../keys/signers.ts"
import { openNet, openResolver } from "../network.ts"
import { writeOut } from "../output.ts"
import { assertHint, claimText } from "../own-claims.ts"
import { holds, lookUntil } from "../publish/confirm.ts"
import { finishPublication } from "../publish/finish.ts"
import { holdsProof, proofFor, readOwner } from "../publish/own-proof.ts"
import { assertCanList } from "../publish/own-right.ts"
import { readWait } from "../publish/words.ts"
import type { Outcome } from "../run.ts"
import { durationText } from "../short-text.ts"
import type { PublishOptions } from "./claim-publish.ts"
import { readDemands } from "./verify-options.ts"

/** A new record is seen within minutes; one that was asked for too early, after the zone's negative TTL. */
const usualWaitSeconds = 600

export async function publishDns(context: Context, account: Account, options: PublishOptions): Promise<Outcome> {
  const waitSeconds = readWait(options.wait, usualWaitSeconds)
  await assertOptions(options)
  const { subject, value } = account
  const { expires, chainHint } = options
  const { key } = await currentIdentity(context)
  const owner = await readOwner(context, key)
  await assertCanList(context, owner, "dns")
  const demands = await readDemands(context, options)
  const { timeoutMs } = demands
  let unlocked: Promise<Signer> | undefined
  const signer = () => {
    unlocked ??= signerFor(context)
    return unlocked
  }
  const proof = await proofFor(context, owner, {
    subject,
    signer,
    ...(expires === undefined ? {} : { expires }),
    ...(chainHint === undefined ? {} : { chainHint }),
  })
  if (proof.claim !== undefined) tellLines(context, proof.claim, { chainHint, waitSeconds })
  const wanted = [proof.texts.compact, ...(chainHint === undefined ? [] : [`Chain: ${chainHint}`])]
  const servers = await watch(context, { domain: value, wanted, waitSeconds, options, timeoutMs })
  const nets = options.resolver === undefined ? netsOf(context, servers, timeoutMs) : [demands.net()]
  const isOurs = (text: string): boolean => holdsProof(text, proof, owner.chain)
  const publication = await lookVia(context, account, { nets, timeoutMs, isDone: (seen) => holds(seen, isOurs) })
  if (publication === undefined) throw await unconfirmed(account, servers)
  const wasRevoked = owner.chain?.state.subjects.get(subject)?.status === "revoked"
  const work = { account, place: "zone", form: "dns", proof, key, demands, signer: await signer(), wasRevoked } as const
  return finishPublication(context, work, { publication, servers })
}

async function assertOptions({ place, credentialFile, chainHint, nameServer }: PublishOptions): Promise<void> {
  if (place !== undefined || credentialFile !== undefined) {
    throw new KezError("usage", "Cannot use --place and --credential-file for a domain: its zone is edited by hand")
  }
  if (chainHint !== undefined) assertHint("dns", chainHint)
  if (nameServer === undefined) return
  const { parseNameServer } = await import("@kez/channels")
  try {
    parseNameServer(nameServer)
  } catch (cause) {
    throw new KezError("usage", "Cannot use --name-server: expected 1.2.3.4, 1.2.3.4:53 or [::1]:53", { cause })
  }
}

/** At once, because their owner has to paste them while this command waits. */
function tellLines(
  context: Context,
  claim: Claim,
  { chainHint, waitSeconds }: { readonly chainHint: string | undefined; readonly waitSeconds: number },
): void {
  if (context.flags.json) return
  writeOut(`${claimText(claim, "dns", chainHint === undefined ? {} : { chainHint })}\n`)
  const where = chainHint === undefined ? "this line belongs into the zone" : "these lines belong into the zone"
  const how = `looking until it is seen, for ${durationText(waitSeconds)} at most. Ctrl-C leaves; the same command goes on later`
  context.terminal.progress(waitSeconds === 0 ? where : `${where}; ${how}`)
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
  const { watchRecords } = await import("@kez/channels")
  const open = context.settings.publicResolvers.value
  const request = {
    domain,
    wanted,
    limitMs: waitSeconds * 1_000,
    ...(options.nameServer === undefined ? {} : { servers: [options.nameServer] }),
    ...(open.length === 0 ? {} : { publicResolvers: open }),
  }
  const resolver = openResolver(context, { timeoutMs, resolver: options.resolver })
  const rounds = watchRecords(request, { resolver, signal: new AbortController().signal })
  let last: WatchRound | undefined
  for await (const round of rounds) {
    await tellRound(context, round, last)
    last = round
  }
  return last?.reports ?? []
}

/** Each server when it says something new: a wait of ten minutes would otherwise fill the screen. */
async function tellRound(context: Context, round: WatchRound, before: WatchRound | undefined): Promise<void> {
  const { describeReports } = await import("@kez/channels")
  const told = new Set(before === undefined ? [] : describeReports(before.reports))
  const lines = describeReports(round.reports).filter((line) => !told.has(line))
  for (const line of lines) context.terminal.progress(line)
  if (round.nextMs === undefined) return
  const again = `looking again in ${Math.ceil(round.nextMs / 1_000)} s`
  context.terminal.progress(lines.length === 0 ? `nothing new; ${again}` : again)
}

/**
 * Through the servers that showed it, the public ones first: the resolver of this computer may repeat for an hour that there is
 * nothing, and would only say that it was asked too early.
 */
function netsOf(
  context: Context,
  servers: readonly ServerReport[],
  timeoutMs: number,
): ReadonlyArray<Net | Promise<Net>> {
  const showing = servers.filter(({ view }) => view.state === "shown")
  const sorted = [...showing.filter(({ role }) => role === "public"), ...showing]
  return sorted
    .flatMap(({ address }) => address ?? [])
    .slice(0, 3)
    .map((resolver) => openNet(context, { resolver, timeoutMs }))
}

interface LookVia {
  readonly nets: ReadonlyArray<Net | Promise<Net>>
  readonly timeoutMs: number
  isDone(publication: Publication): boolean
}

/** Undefined where the proof is seen through none of them. */
async function lookVia(
  context: Context,
  account: Account,
  { nets, timeoutMs, isDone }: LookVia,
): Promise<Publication | undefined> {
  for (const net of nets) {
    const publication = await lookUntil(context, { account, net: await net, timeoutMs, waitSeconds: 0, isDone })
    if (isDone(publication)) return publication
  }
  return undefined
}

async function unconfirmed({ subject, value }: Account, reports: readonly ServerReport[]): Promise<KezError> {
  const { describeReports, longestCache } = await import("@kez/channels")
  const lines = describeReports(reports)
  const missing = lines.filter((_, at) => reports[at]?.view.state !== "shown")
  const cached = longestCache(reports)
  const when = cached === undefined ? "later" : `in ${durationText(cached)}`
  return new KezError(
    "publish.unconfirmed",
    `Cannot confirm the proof of ${subject}: ${missing[0] ?? "it is not seen"}`,
    {
      hint: `Is it in the zone? kez claim dns ${value} prints the line. What else can be wrong: kez help dns\nRun the same command again ${when}.`,
    },
  )
}

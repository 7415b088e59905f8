/** What `verify file` and `verify id` have in common: their options, the network they use, and what they print. */
import type { Net } from "@kez/channels"
import { KezError, limits, parseKeyIdentity } from "@kez/core"
import type { Served } from "../chain-sources.ts"
import { storesOf } from "../chains/store-url.ts"
import type { Answer } from "../consult.ts"
import type { Context } from "../context.ts"
import { documentName, readDocument } from "../documents.ts"
import type { Outcome } from "../run.ts"
import { exitCodeOfVerdict, nextStep, verdictText } from "../verdict-text.ts"
import type { Demands } from "../verify-accounts.ts"

export interface VerifyOptions {
  readonly primary?: string
  readonly requireChain?: boolean
  readonly fresh?: boolean
  /** Files with chain documents. */
  readonly chain?: readonly string[]
  /** Base URLs of stores, besides those of the settings. */
  readonly store?: readonly string[]
  readonly resolver?: string
  readonly offline?: boolean
  readonly acceptNewAccount?: boolean
  /** Seconds, as typed. */
  readonly timeout?: string
}

const defaultTimeoutSeconds = 10
const maxTimeoutSeconds = 120
/** Base64 of the largest compact chain, and its prefix. */
const maxDocumentBytes = Math.ceil((limits.maxChainBytes * 4) / 3) + 64

/** Reads the options into what is asked of every account. Throws `usage`, `input.unreadable`. */
export async function readDemands(context: Context, options: VerifyOptions): Promise<Demands> {
  const { primary } = options
  if (primary !== undefined) parseKeyIdentity(primary)
  const timeoutMs = readTimeout(options.timeout)
  const net = lazyNet(context, options.resolver, timeoutMs)
  if (options.resolver !== undefined) await assertResolver(net)
  return {
    primary,
    requireChain: options.requireChain === true,
    requireFresh: options.fresh === true,
    acceptNewAccount: options.acceptNewAccount === true,
    stores: storesOf(context, options.store),
    documents: await Promise.all((options.chain ?? []).map(readChainFile)),
    timeoutMs,
    net,
  }
}

/** One verdict as the outcome of a command: it is a result and no failure. */
export async function verdictOutcome(context: Context, answer: Answer): Promise<Outcome> {
  const next = nextStep(answer.verdict)
  return {
    schema: "kez.verify/1",
    data: context.flags.json ? (await import("../verdict-json.ts")).verdictJson(answer) : undefined,
    text: verdictText(answer, context.terminal.color),
    exitCode: exitCodeOfVerdict(answer.verdict),
    ...(next === undefined ? {} : { next }),
  }
}

/** Whoever verifies an account of their own identity gives their stores a fresh head, if they have stores. */
export async function refreshIfOwn(
  context: Context,
  answers: readonly Answer[],
  demands: Pick<Demands, "stores" | "net">,
): Promise<void> {
  if (demands.stores.length === 0) return
  const { refreshOwnHead } = await import("../chains/own-head.ts")
  await refreshOwnHead(context, answers, demands)
}

/** The network is opened when the first place is asked: most files name none. */
function lazyNet(context: Context, resolver: string | undefined, timeoutMs: number): () => Promise<Net> {
  let net: Promise<Net> | undefined
  return () => {
    net ??= import("../network.ts").then(({ openNet }) => openNet(context, { resolver, timeoutMs }))
    return net
  }
}

/** A server that cannot be one is a slip of the fingers, not a network that fails. */
async function assertResolver(net: () => Promise<Net>): Promise<void> {
  try {
    await net()
  } catch (cause) {
    if (!(cause instanceof KezError)) throw cause
    throw new KezError("usage", "Cannot use --resolver: expected 1.2.3.4, 1.2.3.4:53, [::1]:53 or https://…", { cause })
  }
}

async function readChainFile(path: string): Promise<Served> {
  const { chainOfDocument } = await import("../chain-sources.ts")
  return chainOfDocument(documentName(path), await readDocument(path, maxDocumentBytes))
}

function readTimeout(text = String(defaultTimeoutSeconds)): number {
  const seconds = Number(text)
  if (/^[0-9]{1,3}(\.[0-9])?$/.test(text) && seconds > 0 && seconds <= maxTimeoutSeconds) return seconds * 1_000
  throw new KezError("usage", `Cannot use --timeout: expected 0.1 to ${maxTimeoutSeconds} seconds`)
}

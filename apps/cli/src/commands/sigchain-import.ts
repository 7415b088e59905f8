/** `kez sigchain import`: a chain document, or a signed head, from elsewhere. What is valid is kept, forks included. SPEC §5.5 */
import {
  assertSignature,
  type ChainHead,
  type Code,
  type Digest,
  decodeEnvelope,
  envelopeDigest,
  KezError,
  limits,
} from "@kez/core"
import { chainStatus } from "../chain-text.ts"
import { readDocumentChain } from "../chains/chain-document.ts"
import type { Context } from "../context.ts"
import { documentName, readDocument } from "../documents.ts"
import { exitCodes } from "../exit-codes.ts"
import type { Handler, Outcome } from "../run.ts"
import { count } from "../short-text.ts"
import { withStore } from "../store/access.ts"
import { loadChain, storeBranch } from "../store/chains.ts"
import { inTransaction } from "../store/database.ts"
import { saveHead } from "../store/heads.ts"

const maxBytes = Math.ceil((limits.maxChainBytes * 4) / 3) + 64

interface Refused {
  readonly seq: number
  readonly digest: Digest | null
  readonly code: Code
}

export const run: Handler<object> = async (context, { args: [path = "-"] }) => {
  const bytes = await readDocument(path, maxBytes)
  const head = tryHead(bytes)
  return head === undefined ? importChain(context, bytes, documentName(path)) : importHead(context, head)
}

async function importChain(context: Context, bytes: Uint8Array, name: string): Promise<Outcome> {
  const { events, fault } = readDocumentChain(bytes)
  if (events.length === 0) throw fault ?? new KezError("chain.jsonl", `Cannot read ${name}: it holds no event`)
  const { stored, chain } = await withStore(context, (store) =>
    inTransaction(store, () => {
      const stored = storeBranch(store, events, context.now())
      return { stored, chain: loadChain(store, stored.chain) }
    }),
  )
  const cut: readonly Refused[] = fault === undefined ? [] : [{ seq: events.length, digest: null, code: fault.code }]
  const refused = [...stored.refused, ...cut]
  const status = chain === undefined ? "nothing of it is valid" : chainStatus(chain)
  return {
    schema: "kez.import/1",
    data: {
      chain: stored.chain,
      read: events.length,
      added: stored.added,
      refused,
      status: chain?.status ?? null,
      contested: chain?.contested ?? false,
      primary: chain?.state.primary ?? null,
    },
    text: [
      `${count(stored.added, "new event")} of ${events.length} read from ${name}`,
      `  chain ${stored.chain}: ${status}`,
      ...refused.map(({ seq, code }) => `  ✕ event ${seq} refused, and all after it [${code}]`),
    ].join("\n"),
    exitCode: refused.length > 0 ? exitCodes.failure : exitCodes.ok,
    warnings:
      chain?.status === "fork" ? ["this identity has two conflicting histories; its owner has to settle them"] : [],
    next: `kez sigchain show ${stored.chain}`,
  }
}

/** A head is stored when its signature is right; whether its signer may speak is judged when it is used. */
async function importHead(context: Context, head: ChainHead): Promise<Outcome> {
  assertSignature(head)
  const { chain, seq, digest, expires_at } = head.payload
  await withStore(context, (store) =>
    inTransaction(store, () => {
      if (loadChain(store, chain) === undefined) {
        throw new KezError("chain.unknown", "Cannot keep the head: its chain is not known here", {
          hint: "Import the chain first.",
        })
      }
      saveHead(store, head, context.now())
    }),
  )
  return {
    schema: "kez.import/1",
    data: {
      chain,
      head: { seq, digest, signer: head.signature.key, expires_at, envelope: envelopeDigest(head) },
    },
    text: `a head of chain ${chain}: event ${seq}, until ${expires_at}`,
  }
}

/** The document as a head; undefined when it is none. */
function tryHead(bytes: Uint8Array): ChainHead | undefined {
  if (bytes.length > limits.maxEnvelopeTextBytes) return undefined
  try {
    return decodeEnvelope(bytes, "chain_head")
  } catch (error) {
    if (error instanceof KezError) return undefined
    throw error
  }
}

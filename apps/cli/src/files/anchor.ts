/** The chain names the newest list of shared files, at most once a day: so that nobody can be shown an older one. SPEC §2.4 */
import type { Files } from "@kez/chat"
import { anchorOf, type ChainReplay, KezError, parseTime, utf8Length } from "@kez/core"
import { publishOwnChain } from "../account/account-chain.ts"
import type { OpenChat } from "../chat/open-chat.ts"
import type { Context } from "../context.ts"
import { printable } from "../output.ts"
import { extendChain } from "../own-chain.ts"

/** A store counts a day from when an event came, and clocks differ. */
const everySeconds = 86_400 + 600

/** `named`: the chain names the newest list. `later`: not due yet. `failed`: told as a warning, and tried again by the next command. */
export type Anchoring = "none" | "named" | "later" | "failed"

export async function anchorShares(context: Context, chat: OpenChat, files: Files): Promise<Anchoring> {
  const own = await files.run(() => files.shares.current())
  if (own === undefined) return "none"
  const { account, engine, signer } = chat
  const isNamed = (replay: ChainReplay | undefined): boolean =>
    replay !== undefined && anchorOf(replay, engine.device)?.manifest === own.digest
  if (isNamed(await engine.chainOf(account.chain))) return "named"
  const stores = await chat.stores()
  if (stores.length === 0) return "later"
  const operation = { op: "set_shared_files", manifest: own.digest, size: utf8Length(own.text) } as const
  try {
    // Another device may have named its own list today.
    const replay = await engine.chainOf(account.chain, true)
    if (isNamed(replay)) return "named"
    if (replay === undefined || !isDue(replay, context.now())) return "later"
    await extendChain(context, { key: account.primary, signer, plan: () => ({ operations: [operation] }) })
    await chat.chains.load([account.chain])
    const { net, timeoutMs } = chat.demands
    await publishOwnChain(context, account.primary, { net: await net(), stores, timeoutMs })
    return "named"
  } catch (error) {
    if (!(error instanceof KezError)) throw error
    context.warn(`the list is not in your chain yet: ${printable(error.message, 300)} [${error.code}]`)
    return "failed"
  }
}

function isDue({ path }: ChainReplay, now: number): boolean {
  const last = path.findLast(({ payload }) => payload.op === "set_shared_files")
  return last === undefined || parseTime(last.payload.created_at) + everySeconds <= now
}

/**
 * Sigchains as a conversation uses them. The caller verifies and keeps them; here they answer what a device was at a named head,
 * so that every member judges a commit alike, and what it is now.
 */
import { branchOf, type ChainReplay, type Digest, KezError, replayChain } from "@kez/core"

/** The chain of a member as far as it is known here, or undefined. */
export type Chains = (chain: Digest) => ChainReplay | undefined

/** The end of a chain as the sender of a commit or message knew it. */
export interface NamedHead {
  readonly chain: Digest
  readonly seq: number
  readonly digest: Digest
}

/** `suspended`: revoked on a losing branch (SPEC [FORK-7]). `unknown`: the chain never listed it. */
export type DeviceStanding = "current" | "suspended" | "revoked" | "unknown"

export function headOf(replay: ChainReplay): NamedHead {
  return { chain: replay.chain, seq: replay.head.seq, digest: replay.head.digest }
}

/** The chain of a member, or `chain.unknown` with the way out. */
export function chainOf(chains: Chains, chain: Digest): ChainReplay {
  const replay = chains(chain)
  if (replay !== undefined) return replay
  throw new KezError("chain.unknown", `Cannot judge a device of ${chain}: its sigchain is not known here`, {
    hint: "Fetch that chain from its stores, then try again.",
  })
}

/** What a device is by everything known of its chain. */
export function standingNow(replay: ChainReplay, device: string): DeviceStanding {
  const listed = replay.state.devices.find(({ key }) => key === device)
  if (listed !== undefined) return listed.suspended ? "suspended" : "current"
  return everListed(replay, device) ? "revoked" : "unknown"
}

/** What it was at `head`, by the events that lead there and no others: the same for everybody who has that head. */
export function standingAt(replay: ChainReplay, head: Digest, device: string): DeviceStanding {
  return standingNow(chainAt(replay, head), device)
}

/** Whether `ancestor` is an event before `head`, on the branch that leads to it. */
export function isBefore(replay: ChainReplay, ancestor: Digest, head: Digest): boolean {
  return ancestor !== head && chainAt(replay, head).digests.includes(ancestor)
}

const chainsAt = new WeakMap<ChainReplay, Map<Digest, ChainReplay>>()

function chainAt(replay: ChainReplay, head: Digest): ChainReplay {
  if (head === replay.head.digest && replay.splits.length === 0) return replay
  const cached = chainsAt.get(replay)?.get(head)
  if (cached !== undefined) return cached
  const known = chainsAt.get(replay) ?? new Map<Digest, ChainReplay>()
  const cut = cutAt(replay, head)
  chainsAt.set(replay, known.set(head, cut))
  return cut
}

function cutAt(replay: ChainReplay, head: Digest): ChainReplay {
  const onPath = replay.digests.includes(head)
  const branch = onPath ? replay : branchOf(replay, head)
  const end = branch.digests.indexOf(head)
  if (end < 0) throw new KezError("chain.unknown", "Cannot judge at the head: the chain has no such event")
  return replayChain(branch.path.slice(0, end + 1), { chain: replay.chain })
}

function everListed({ path }: ChainReplay, device: string): boolean {
  return path.some(({ payload }) => payload.op === "add_device" && payload.payload.key === device)
}

/** Runs the differential of crosstest/ against another process, with a seed of its own and a folder for what it finds. */
import { differential, type Report } from "../../crosstest/differential/differential.ts"
import { typescriptLines } from "../../crosstest/implementations.ts"
import { Peer, type PeerCommand } from "../../crosstest/peer.ts"

export const seed = 20_260_101

export interface Plan {
  readonly cases: number
  readonly folder: string
  readonly maxDifferences?: number
}

/** What the run says, and as text what it found. */
export async function runAgainst(other: PeerCommand, plan: Plan): Promise<Report & { readonly text: string }> {
  const peers = [new Peer(typescriptLines), new Peer(other)] as const
  let text = ""
  try {
    const onFound = (found: string): void => {
      text += `${found}\n`
    }
    const report = await differential(peers, { seed, first: 0, ...plan, onFound })
    return { ...report, text }
  } finally {
    await Promise.all(peers.map((peer) => peer.close()))
  }
}

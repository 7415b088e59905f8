/** The rows of kez-sig-server: appends, reads, a server of another protocol that does the same job, and growth. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Row } from "./measure.ts"
import { growthRows } from "./store/growth.ts"
import { peerRows } from "./store/peer.ts"
import { readRows } from "./store/reads.ts"
import { appendRows } from "./store/writes.ts"

const sizes = {
  short: { rounds: 1, chains: 200, seconds: 1, created: 100, grown: 2_000 },
  usual: { rounds: 7, chains: 1_000, seconds: 3, created: 500, grown: 10_000 },
  large: { rounds: 7, chains: 1_000, seconds: 3, created: 500, grown: 100_000 },
} as const

export async function storeRows(size: keyof typeof sizes): Promise<readonly Row[]> {
  const { rounds, chains, seconds, created, grown } = sizes[size]
  const folder = mkdtempSync(join(tmpdir(), "kez-bench-store-"))
  const own = (name: string): string => {
    const path = join(folder, name)
    mkdirSync(path)
    return path
  }
  try {
    return [
      ...(await appendRows({ dataFolder: own("appends"), rounds, chains })),
      ...(await readRows({ folder: own("reads"), rounds, seconds })),
      ...(await peerRows({ folder: own("peer"), rounds, seconds, count: created })),
      ...(await growthRows({ dataFolder: own("growth"), chains: grown })),
    ]
  } finally {
    rmSync(folder, { recursive: true })
  }
}

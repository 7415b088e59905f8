/** The limit: a plain copy over TCP between two Node processes, from disk to disk, neither encrypted nor verified. */
import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import { rmSync } from "node:fs"
import { join } from "node:path"
import { performance } from "node:perf_hooks"
import { type Copy, usageOf, watchFirstByte } from "./copy.ts"
import type { TcpOrder, TcpTold } from "./tcp-process.ts"

/** Its processes are warm when it begins. */
export type TcpCopy = Omit<Copy, "wholeMs" | "wholeFirstMs">

const warmBytes = 1024 * 1024

export async function copyByTcp(source: string, target: string): Promise<TcpCopy> {
  const [sender, receiver] = [startSide(), startSide()]
  try {
    await Promise.all([sender, receiver].map((side) => once(side, "message")))
    // A little first, so that what is measured runs compiled.
    await copy(sender, receiver, { source, target, last: warmBytes })
    const warm = [sender, receiver].map(({ pid }) => usageOf(pid).cpuMs)
    rmSync(target)
    const first = watchFirstByte(target)
    const asked = await copy(sender, receiver, { source, target, last: Number.POSITIVE_INFINITY })
    const over = performance.now()
    first.end()
    const used = [sender, receiver].map(({ pid }) => usageOf(pid))
    return {
      moveMs: over - asked,
      firstMs: first.at() - asked,
      cpuMs: used.reduce((sum, { cpuMs }, at) => sum + cpuMs - (warm[at] ?? 0), 0),
      peakMb: Math.max(...used.map(({ peakMb }) => peakMb)),
    }
  } finally {
    for (const side of [sender, receiver]) side.kill("SIGKILL")
  }
}

interface Way {
  readonly source: string
  readonly target: string
  /** The last byte that is sent. */
  readonly last: number
}

/** Resolves to when it was asked for, the receiver listening. */
async function copy(sender: ChildProcess, receiver: ChildProcess, { source, target, last }: Way): Promise<number> {
  const listening = await ask(receiver, { do: "receive", path: target })
  if (!("port" in listening)) throw new Error("unreachable: the receiver tells its port first")
  const asked = performance.now()
  const received = once(receiver, "message")
  await Promise.all([ask(sender, { do: "send", path: source, port: listening.port, last }), received])
  return asked
}

function startSide(): ChildProcess {
  return fork(join(import.meta.dirname, "tcp-process.ts"), { serialization: "advanced" })
}

async function ask(side: ChildProcess, order: TcpOrder): Promise<TcpTold> {
  side.send(order)
  const [told] = await once(side, "message")
  return told
}

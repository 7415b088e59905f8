/** The limit: a plain copy over TCP between two Node processes, from disk to disk, neither encrypted nor verified. */
import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { performance } from "node:perf_hooks"
import { type Copy, usageOf, watchFirstByte } from "./copy.ts"
import type { TcpOrder, TcpTold } from "./tcp-process.ts"

export async function copyByTcp(source: string, target: string): Promise<Copy> {
  const began = performance.now()
  const [sender, receiver] = [startSide(), startSide()]
  try {
    await Promise.all([sender, receiver].map((side) => once(side, "message")))
    const listening = await ask(receiver, { do: "receive", path: target })
    if (!("port" in listening)) throw new Error("unreachable: the receiver tells its port first")
    const first = watchFirstByte(target)
    const asked = performance.now()
    const received = once(receiver, "message")
    await Promise.all([ask(sender, { do: "send", path: source, port: listening.port }), received])
    const over = performance.now()
    first.end()
    const used = [sender, receiver].map(({ pid }) => usageOf(pid))
    return {
      moveMs: over - asked,
      wholeMs: over - began,
      firstMs: first.at() - asked,
      wholeFirstMs: first.at() - began,
      cpuMs: used.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
      peakMb: Math.max(...used.map(({ peakMb }) => peakMb)),
    }
  } finally {
    for (const side of [sender, receiver]) side.kill("SIGKILL")
  }
}

function startSide(): ChildProcess {
  return fork(join(import.meta.dirname, "tcp-process.ts"))
}

async function ask(side: ChildProcess, order: TcpOrder): Promise<TcpTold> {
  side.send(order)
  const [told] = await once(side, "message")
  return told
}

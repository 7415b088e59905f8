/** The product: kez-iroh, two processes, from disk to disk. */
import { join } from "node:path"
import { performance } from "node:perf_hooks"
import { type IrohLine, type IrohProcess, startIroh } from "../../test/support/iroh.ts"
import { type Copy, usageOf, watchFirstByte } from "./copy.ts"

/** Of kez-iroh it is also known how long it hashed the file: before it can be offered, and once for a file. */
export interface IrohCopy extends Copy {
  readonly hashMs: number
  readonly peaksMb: { readonly sender: number; readonly receiver: number }
}

/** `folder`: of this copy alone, with a folder `in`. */
export async function copyByIroh(program: string, source: string, folder: string): Promise<IrohCopy> {
  const began = performance.now()
  const sender = startIroh([program])
  const receiver = startIroh([program])
  try {
    const [from, to] = await Promise.all([start(sender, folder, "sender"), start(receiver, folder, "receiver")])
    const hashing = performance.now()
    const { files } = await sender.ask({ do: "import", paths: [source] })
    const hashMs = performance.now() - hashing
    const hashes = (files as readonly IrohLine[]).map(({ hash }) => hash)
    await sender.ask({ do: "offer", set: "s", hashes, peers: [to["endpoint"]] })
    const first = watchFirstByte(join(folder, "in/.kez-incoming-j/0.part"))
    const asked = performance.now()
    await receiver.ask({ do: "fetch", job: "j", files, into: join(folder, "in"), providers: [providerOf(from)] })
    const end = await receiver.until((line) => line["event"] === "end")
    const over = performance.now()
    first.end()
    if (end["state"] !== "done") throw new Error(`kez-iroh did not copy: ${JSON.stringify(end)}`)
    const [sent, received] = [usageOf(sender.child.pid), usageOf(receiver.child.pid)]
    await Promise.all([sender.close(), receiver.close()])
    return {
      moveMs: over - asked,
      wholeMs: performance.now() - began,
      firstMs: first.at() - asked,
      wholeFirstMs: first.at() - began,
      cpuMs: sent.cpuMs + received.cpuMs,
      peakMb: Math.max(sent.peakMb, received.peakMb),
      hashMs,
      peaksMb: { sender: sent.peakMb, receiver: received.peakMb },
    }
  } finally {
    for (const side of [sender, receiver]) side.child.kill("SIGKILL")
  }
}

function start(side: IrohProcess, folder: string, name: string): Promise<IrohLine> {
  return side.ask({ do: "start", data: join(folder, name), bind: ["127.0.0.1:0"] })
}

function providerOf({ endpoint, addresses }: IrohLine): IrohLine {
  return { endpoint, addresses }
}

/** The processes that are compared, each a real one at a loopback port of its own. */
import { type ChildProcess, type ChildProcessByStdio, fork, spawn } from "node:child_process"
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import type { Readable, Writable } from "node:stream"
import type { Done, Order } from "./load.ts"

export interface Running {
  readonly port: number
  /** The most memory so far in MB; undefined where the system does not tell. */
  peakMb(): number | undefined
  stop(): Promise<void>
}

const store = join(import.meta.dirname, "../../kez-sig-server")

/** kez-sig-server as it comes, but without limits on how much one sender may write, and with one for reads that is never reached. */
export async function startStore(dataFolder: string): Promise<Running> {
  const unlimited = ["--chain-burst", "0", "--ip-burst", "0", "--genesis-burst", "0", "--read-burst", "1000000000"]
  const ports = ["--port", "0", "--metrics-port", "0"]
  // For whoever looks for the cause of a figure: NODE_OPTIONS=--cpu-prof.
  const child = spawn(store, ["serve", "--data", dataFolder, ...ports, ...unlimited], {
    stdio: ["ignore", "inherit", "pipe"],
  })
  const { at } = JSON.parse(await firstLine(child, child.stderr)) as { readonly at: string }
  return running(child, at)
}

/** A server of this folder that prints its URL. */
export async function startBare(file: "bare-server.ts" | "plc-server.ts", ...args: string[]): Promise<Running> {
  const child = spawn(process.execPath, [join(import.meta.dirname, file), ...args], {
    stdio: ["pipe", "pipe", "inherit"],
  })
  return running(child, await firstLine(child, child.stdout))
}

type Child = ChildProcessByStdio<Writable | null, Readable | null, Readable | null>

function running(child: Child, url: string): Running {
  return {
    port: Number(new URL(url).port),
    peakMb: () => readPeakMb(child.pid),
    async stop() {
      const exited = once(child, "exit")
      child.kill("SIGTERM")
      await exited
    },
  }
}

async function firstLine(child: ChildProcess, stream: Readable): Promise<string> {
  let text = ""
  const line = new Promise<string>((resolve) => {
    stream.setEncoding("utf8").on("data", (part: string) => {
      text += part
      const end = text.indexOf("\n")
      if (end !== -1) resolve(text.slice(0, end))
    })
  })
  const failed = once(child, "exit").then(() => {
    throw new Error(`a server ended before it listened: ${text}`)
  })
  return Promise.race([line, failed])
}

/** The high-water mark of the process as Linux keeps it. */
function readPeakMb(pid: number | undefined): number | undefined {
  try {
    const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]
    return kib === undefined ? undefined : (Number(kib) * 1_024) / 1e6
  } catch {
    return undefined
  }
}

export interface Loader {
  ask(order: Order): Promise<Done>
  close(): void
}

/** The process that makes chains and posts them, so that its work is not the server's. */
export function startLoader(): Loader {
  const child = fork(join(import.meta.dirname, "load.ts"))
  let settle: ReturnType<typeof Promise.withResolvers<Done>> | undefined
  child.on("message", (done: Done) => settle?.resolve(done))
  child.on("exit", () => settle?.reject(new Error("the load generator ended")))
  return {
    ask(order) {
      settle = Promise.withResolvers<Done>()
      child.send(order)
      return settle.promise
    },
    close: () => child.disconnect(),
  }
}

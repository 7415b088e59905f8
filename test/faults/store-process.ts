/** The real kez-sig-server as a process, to be stopped in every way there is. */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { pathToFileURL } from "node:url"

const main = join(import.meta.dirname, "../../apps/sig-server/src/main.ts")
/**
 * What a restart, or the first write after a full disk, may take. It catches a store that hangs and says nothing of speed: the machine may be
 * busy with other things, and how long it took is printed.
 */
export const recoveryWithinMs = 30_000
/** After this nothing is waited for. */
const readyWithinMs = 2 * recoveryWithinMs
const unlimited = ["chain-burst", "ip-burst", "genesis-burst"].flatMap((name) => [`--${name}`, "0"])

export interface StorePlace {
  /** The folder of the SQLite file. */
  readonly data?: string
  /** PostgreSQL instead. */
  readonly databaseUrl?: string
  readonly flags?: readonly string[]
  /** A module that is loaded before the program. */
  readonly preload?: string
}

export interface StoreProcess {
  readonly child: ChildProcess
  /** Where it listens. Rejects with what it said when it ends before. */
  readonly url: Promise<string>
  /** From the start of the process to a /readyz of 200. */
  readonly readyMs: Promise<number>
  /** What it wrote to stderr. */
  output(): string
  /** kill -9. */
  kill(): Promise<void>
  /** SIGTERM; resolves to the exit code. */
  stop(): Promise<number | null>
  /** SIGSTOP; resolves when all of its threads stand still. */
  freeze(): Promise<void>
}

export function spawnStore({ data, databaseUrl, flags = [], preload }: StorePlace): StoreProcess {
  const began = performance.now()
  const where = databaseUrl === undefined ? ["--data", data ?? ""] : []
  const before = preload === undefined ? [] : ["--import", pathToFileURL(preload).href]
  const args = [...before, main, "serve", "--port", "0", "--metrics", "off", ...unlimited, ...where, ...flags]
  const env = { PATH: process.env["PATH"], ...(databaseUrl !== undefined && { KEZ_SIG_DATABASE_URL: databaseUrl }) }
  const child = spawn(process.execPath, args, { env, stdio: ["ignore", "ignore", "pipe"] })
  const ended = once(child, "close")
  let output = ""
  const url = new Promise<string>((resolve, reject) => {
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      output += text
      const at = /"at":"(http:[^"]+)"/.exec(output)?.[1]
      if (at !== undefined) resolve(at)
    })
    void ended.then(() => reject(new Error(`the store ended before it listened: ${output}`)))
  })
  const readyMs = url.then(async (at) => {
    await waitUntil(async () => (await fetch(`${at}/readyz`)).status === 200)
    return performance.now() - began
  })
  // Whoever does not wait for these learns of it in other ways.
  url.catch(() => undefined)
  readyMs.catch(() => undefined)
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    child.kill(signal)
    await ended
    return child.exitCode
  }
  return {
    child,
    url,
    readyMs,
    output: () => output,
    kill: async () => void (await end("SIGKILL")),
    stop: () => end("SIGTERM"),
    async freeze() {
      child.kill("SIGSTOP")
      await waitUntil(async () => threadStates(child.pid ?? 0).every((state) => state === "T"), 1)
    },
  }
}

/** A store that is ready. */
export async function startStore(place: StorePlace): Promise<StoreProcess & { readonly at: string }> {
  const store = spawnStore(place)
  try {
    await store.readyMs
    return { ...store, at: await store.url }
  } catch (error) {
    await store.kill()
    throw error
  }
}

export async function waitUntil(holds: () => Promise<boolean>, pauseMs = 5): Promise<void> {
  const deadline = performance.now() + readyWithinMs
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`did not come about in ${readyWithinMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
}

/** One letter for each thread: proc(5). */
function threadStates(pid: number): readonly string[] {
  return readdirSync(`/proc/${pid}/task`).map((thread) => {
    const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, "utf8")
    return stat.charAt(stat.lastIndexOf(")") + 2)
  })
}

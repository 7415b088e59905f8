/** `npm start` as a person has it: npm, in a group of processes of its own as a terminal makes one, on free ports. */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import type { Cleaner } from "./person.ts"
import { isFree } from "./ports.ts"

const ROOT = join(import.meta.dirname, "../..")
const READY_MS = 55_000
const BASES = 40
const INHERITED = ["PATH", "HOME", "TMPDIR", "NODE_COMPILE_CACHE", "XDG_CACHE_HOME"]

export interface Trial {
  readonly child: ChildProcess
  /** All that it wrote. */
  said(): string
  /** Resolves when all is there; throws with what it said when it ends before. */
  ready(): Promise<void>
  /** The same for a text. */
  saying(form: RegExp): Promise<void>
  /** As a terminal's Ctrl-C: to every process of the group, npm too. */
  interrupt(signal?: NodeJS.Signals): void
  /** The exit code. */
  ended(): Promise<number | null>
}

/** Without `builds` no minutes of a processor are taken where kez-iroh is missing. */
export function startTrial(
  t: Cleaner,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  { builds = false } = {},
): Trial {
  const inherited = INHERITED.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]))
  const child = spawn("npm", ["start", "--", ...args, ...(builds ? [] : ["--no-build"])], {
    cwd: ROOT,
    env: { ...Object.fromEntries(inherited), NO_COLOR: "1", ...env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  })
  const closed = once(child, "close")
  let text = ""
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (more: string) => {
      text += more
    })
  }
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null
  const interrupt: Trial["interrupt"] = (signal = "SIGINT") => {
    if (child.pid !== undefined && !hasEnded()) process.kill(-child.pid, signal)
  }
  const saying: Trial["saying"] = async (form) => {
    const until = Date.now() + READY_MS
    while (!form.test(text)) {
      if (hasEnded() || Date.now() > until) throw new Error(`npm start does not say ${form}\n${text}`)
      await sleep(20)
    }
  }
  t.after(async () => {
    interrupt("SIGTERM")
    await closed
  })
  return {
    child,
    said: () => text,
    interrupt,
    ready: () => saying(/^ {2}Logs: .*Ctrl-C$/m),
    saying,
    async ended() {
      await closed
      return child.exitCode
    },
  }
}

/** Six ports in a row that nobody has. */
export async function freePortBase(): Promise<number> {
  for (;;) {
    const base = 20_000 + Math.floor(Math.random() * BASES) * 100 + (process.pid % 90)
    const free = await Promise.all([0, 1, 2, 3, 4, 5].map((step) => isFree(base + step)))
    if (!free.includes(false)) return base
  }
}

/** Command lines of processes that name a text, but for this one's own. */
export function processesWith(text: string): readonly string[] {
  return readdirSync("/proc")
    .filter((name) => /^[0-9]+$/.test(name) && Number(name) !== process.pid)
    .map((pid) => `${pid} ${tryRead(`/proc/${pid}/cmdline`).replaceAll("\0", " ")}`)
    .filter((line) => line.includes(text))
}

function tryRead(path: string): string {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return ""
  }
}

/** How much longer work takes on this computer now than it would alone: 1 where nothing else runs. */
export function slowdown(): number {
  const began = performance.now()
  const used = process.cpuUsage()
  const busyUntil = began + 300
  while (performance.now() < busyUntil);
  const { user, system } = process.cpuUsage(used)
  return Math.max(1, ((performance.now() - began) * 1_000) / (user + system))
}

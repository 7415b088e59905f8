/** Another program for the same: croc with a relay of its own on loopback. Not compressed: these bytes do not compress, which it would find out at length. */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdirSync } from "node:fs"
import { connect } from "node:net"
import { basename, join } from "node:path"
import { performance } from "node:perf_hooks"
import { setTimeout } from "node:timers/promises"
import { freePorts } from "../../test/support/ports.ts"
import { type Copy, watchFirstByte } from "./copy.ts"

/** Nothing here takes so long. */
const mostMs = 600_000

export interface CrocRelay {
  readonly port: number
  stop(): void
}

/** Of both programs together; what the system says of a process is gone with it. */
export type CrocCopy = Pick<Copy, "wholeMs" | "wholeFirstMs">

export async function startCrocRelay(program: string, folder: string): Promise<CrocRelay> {
  const ports = await freePorts(6)
  const [port = 0] = ports
  const relay = spawn(program, ["relay", "--host", "127.0.0.1", "--ports", ports.join(",")], {
    stdio: "ignore",
    env: environment(folder, "relay"),
  })
  for (const one of ports) await listening(one, relay)
  return { port, stop: () => void relay.kill("SIGKILL") }
}

export async function copyByCroc(
  program: string,
  relay: CrocRelay,
  { source, folder }: { readonly source: string; readonly folder: string },
): Promise<CrocCopy> {
  const into = join(folder, "in")
  const common = [
    "--yes",
    "--ignore-stdin",
    "--disable-clipboard",
    "--relay",
    `127.0.0.1:${relay.port}`,
    "--relay6",
    "",
  ]
  const first = watchFirstByte(join(into, basename(source)))
  const began = performance.now()
  const run = (name: string, words: readonly string[]): ChildProcess =>
    spawn(program, [...common, ...words], {
      env: environment(folder, name),
      stdio: ["ignore", "ignore", "pipe"],
      timeout: mostMs,
    })
  const sender = run("sender", ["--no-compress", "send", "--no-local", source])
  let receiver: ChildProcess | undefined
  try {
    const sent = ended(sender)
    // It hashes the file first. Who comes before it has a code would be turned away.
    await Promise.race([said(sender, "Code is:"), sent])
    receiver = run("receiver", ["--overwrite", "--out", into])
    await Promise.all([sent, ended(receiver)])
    return { wholeMs: performance.now() - began, wholeFirstMs: first.at() - began }
  } finally {
    first.end()
    for (const side of [sender, receiver]) side?.kill("SIGKILL")
  }
}

/** The code is a secret of this bench, and not among the arguments, where croc refuses it. */
function environment(folder: string, name: string): NodeJS.ProcessEnv {
  const home = join(folder, name)
  mkdirSync(home, { recursive: true })
  const { PATH, TMPDIR } = process.env
  return { PATH, TMPDIR, HOME: home, CROC_CONFIG_DIR: home, CROC_SECRET: "1234-bench-of-kez" }
}

function said(side: ChildProcess, wanted: string): Promise<void> {
  let text = ""
  return new Promise((resolve) => {
    side.stderr?.on("data", (bytes: Buffer) => {
      text += bytes.toString()
      if (text.includes(wanted)) resolve()
    })
  })
}

async function ended(side: ChildProcess): Promise<void> {
  let last = ""
  side.stderr?.on("data", (bytes: Buffer) => {
    last = `${last}${bytes.toString()}`.slice(-500)
  })
  const [code] = await once(side, "close")
  if (code !== 0) throw new Error(`croc did not copy: ${last}`)
}

async function listening(port: number, relay: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 200 && relay.exitCode === null; tries += 1) {
    const socket = connect(port, "127.0.0.1")
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false))
    })
    socket.destroy()
    if (isOpen) return
    await setTimeout(50)
  }
  throw new Error(`croc's relay does not listen on port ${port}`)
}

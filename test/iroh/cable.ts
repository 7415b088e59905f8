/**
 * A large file and a folder between two networks, with everything that goes wrong on the way: the receiver is killed at 40 %, the
 * sender at 60 %, the cable is pulled at 80 %. Nothing starts over and nothing is hashed again.
 */
import { randomBytes } from "node:crypto"
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs"
import { join } from "node:path"
import { setTimeout } from "node:timers/promises"
import { type IrohLine, type IrohProcess, startIroh } from "../support/iroh.ts"
import { isEqual, type Network, type Networks } from "./networks.ts"

const MIB = 1024 * 1024

/** How much is sent. */
export interface CablePlan {
  readonly program: string
  readonly folder: string
  readonly fileMib: number
  readonly files: number
  readonly cutMs: number
  /** Bytes a second while things go wrong, so that they do before the end. */
  readonly slowRate: number
}

/** What was seen. */
export interface CableReport {
  readonly folderEqual: boolean
  readonly folderMs: number
  readonly fileEqual: boolean
  /** Bytes that were there when the receiver came back. */
  readonly keptBytes: number
  /** Files that were hashed again when the sender came back. */
  readonly hashedAgain: number
  /** Bytes that all senders sent for the one file. */
  readonly sentBytes: number
  /** From the cable's return to the next byte. */
  readonly returnMs: number
  readonly peakMemoryMb: number
}

interface Scene {
  readonly plan: CablePlan
  readonly networks: Networks
  sender: Peer
  receiver: Peer
}

interface Peer {
  readonly process: IrohProcess
  readonly start: IrohLine
}

/** Plays the whole story. */
export async function pullCable(plan: CablePlan, networks: Networks): Promise<CableReport> {
  writeInputs(plan)
  const scene: Scene = {
    plan,
    networks,
    sender: await start(plan, networks.one, "sender"),
    receiver: await start(plan, networks.two, "receiver"),
  }
  try {
    const folder = await sendFolder(scene)
    const file = await sendFile(scene)
    return { ...folder, ...file, peakMemoryMb: Math.max(peakMb(scene.sender), peakMb(scene.receiver)) }
  } finally {
    for (const peer of [scene.sender, scene.receiver]) peer.process.child.kill("SIGKILL")
  }
}

function writeInputs(plan: CablePlan): void {
  mkdirSync(join(plan.folder, "in"))
  mkdirSync(join(plan.folder, "many"))
  for (let index = 0; index < plan.files; index += 1) {
    const inner = join(plan.folder, "many", String(index % 50))
    mkdirSync(inner, { recursive: true })
    writeFileSync(join(inner, String(index)), randomBytes((index * 37) % 40_000))
  }
  const file = openSync(join(plan.folder, "large"), "w")
  for (let index = 0; index < plan.fileMib; index += 1) writeSync(file, randomBytes(MIB))
  closeSync(file)
}

async function start(plan: CablePlan, network: Network, name: string): Promise<Peer> {
  const process = startIroh([...network.enter, plan.program])
  const bind = [`${network.address}:0`]
  const start = await process.ask({ do: "start", data: join(plan.folder, name), bind })
  return { process, start }
}

async function share(
  scene: Scene,
  path: string,
): Promise<{ readonly files: readonly IrohLine[]; readonly hashed: number }> {
  const { sender, receiver } = scene
  const answer = await sender.process.ask({ do: "import", paths: [path] })
  const files = answer["files"] as readonly IrohLine[]
  const hashes = files.map((file) => file["hash"])
  await sender.process.ask({ do: "offer", set: "s", hashes, peers: [receiver.start["endpoint"]] })
  return { files, hashed: Number(answer["hashed"]) }
}

function provider(peer: Peer): IrohLine {
  return { endpoint: peer.start["endpoint"], addresses: peer.start["addresses"] }
}

function fetchOf(scene: Scene, files: readonly IrohLine[], maxRate?: number): IrohLine {
  const into = join(scene.plan.folder, "in")
  return {
    do: "fetch",
    job: "j",
    files,
    into,
    providers: [provider(scene.sender)],
    ...(maxRate === undefined ? {} : { maxRate }),
  }
}

async function end(peer: Peer): Promise<void> {
  const line = await peer.process.until((line) => line["event"] === "end")
  if (line["state"] !== "done") throw new Error(JSON.stringify(line))
}

async function reach(peer: Peer, part: number): Promise<void> {
  await peer.process.until(
    (line) => line["event"] === "progress" && Number(line["bytes"]) >= part * Number(line["total"]),
  )
}

async function sendFolder(scene: Scene): Promise<Pick<CableReport, "folderEqual" | "folderMs">> {
  const { files } = await share(scene, join(scene.plan.folder, "many"))
  const began = performance.now()
  await scene.receiver.process.ask(fetchOf(scene, files))
  await end(scene.receiver)
  const folderMs = Math.round(performance.now() - began)
  return { folderEqual: isEqual(join(scene.plan.folder, "many"), join(scene.plan.folder, "in", "many")), folderMs }
}

async function sendFile(scene: Scene): Promise<Omit<CableReport, "folderEqual" | "folderMs" | "peakMemoryMb">> {
  const { plan, networks } = scene
  const large = join(plan.folder, "large")
  const folderBytes = sentBy(scene.sender)
  const { files } = await share(scene, large)
  // What was said of the folder must not be taken for this.
  scene.receiver.process.heard().length = 0
  await scene.receiver.process.ask(fetchOf(scene, files, plan.slowRate))
  await reach(scene.receiver, 0.4)
  await kill(scene.receiver)
  scene.receiver = await start(plan, networks.two, "receiver")
  await scene.sender.process.ask({ do: "allow", set: "s", peers: [scene.receiver.start["endpoint"]] })
  const kept = await scene.receiver.process.ask(fetchOf(scene, files, plan.slowRate))
  await reach(scene.receiver, 0.6)
  const sentFirst = sentBy(scene.sender) - folderBytes
  await kill(scene.sender)
  scene.sender = await start(plan, networks.one, "sender")
  const { hashed } = await share(scene, large)
  await scene.receiver.process.ask({ do: "providers", job: "j", providers: [provider(scene.sender)] })
  await reach(scene.receiver, 0.8)
  networks.setCable("down")
  await setTimeout(plan.cutMs)
  scene.receiver.process.heard().length = 0
  networks.setCable("up")
  const back = performance.now()
  await scene.receiver.process.until((line) => line["event"] === "progress" && Number(line["rate"]) > 0)
  const returnMs = Math.round(performance.now() - back)
  await end(scene.receiver)
  const fileEqual = isEqual(large, join(plan.folder, "in", "large"))
  const sentBytes = sentFirst + sentBy(scene.sender)
  return { fileEqual, keptBytes: Number(kept["bytes"]), hashedAgain: hashed, sentBytes, returnMs }
}

async function kill(peer: Peer): Promise<void> {
  const ended = new Promise((resolve) => peer.process.child.once("close", resolve))
  peer.process.child.kill("SIGKILL")
  await ended
}

/** Bytes that a sender sent in all; each connection counts from zero. */
function sentBy(sender: Peer): number {
  let [before, now] = [0, 0]
  for (const line of sender.process.heard()) {
    if (line["event"] !== "serving") continue
    const bytes = Number(line["bytes"])
    if (bytes < now) before += now
    now = bytes
  }
  return before + now
}

function peakMb(peer: Peer): number {
  const status = readFileSync(`/proc/${peer.process.child.pid}/status`, "utf8")
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024)
}

/** The servers of `npm start`: sigchain store, nats-server, chat server. */
import { existsSync, mkdirSync, rmSync, symlinkSync } from "node:fs"
import { join, relative } from "node:path"
import { type Broker, ensureBrokerKeys, findNatsServer, startBroker } from "@kez/broker"
import { KezError } from "@kez/core"
import { isReadyAt, type Part, startPart } from "./part.ts"
import type { Ports } from "./ports.ts"
import type { Report } from "./report.ts"

export interface ServersPlan {
  readonly root: string
  readonly folder: string
  readonly ports: Ports
  readonly report: Report
  /** Told of each part as soon as there is something to stop. */
  readonly onPart: (part: Part) => void
  /** Ends the waiting. */
  readonly signal: AbortSignal
}

export const storeUrl = ({ store }: Ports): string => `http://127.0.0.1:${store}`
export const chatUrl = ({ chat }: Ports): string => `http://127.0.0.1:${chat}`

/** All at once: the chat server waits for the other two by itself, and whoever starts it again should not wait for their sum. */
export async function startServers(plan: ServersPlan): Promise<void> {
  const program = await findProgram(plan)
  ensureBrokerKeys(keysFolderOf(plan))
  // Each is waited for, so that what comes up late is known and can be stopped.
  const outcomes = await Promise.allSettled([startStore(plan), startNats(plan, program), startChat(plan)])
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason
}

/** Before anything else: it may take a minute, once. */
async function findProgram({ report }: ServersPlan): Promise<{ readonly path: string; readonly version: string }> {
  // One that runs elsewhere has another configuration: here all is ours.
  const { NATS_URL: _, ...env } = process.env
  const found = await findNatsServer({ env, fetch: true, onStep: report.waiting })
  if (found?.kind === "program") return found
  throw new KezError("broker.missing", "Cannot start nats-server: none was found")
}

function brokerFolderOf({ folder }: ServersPlan): string {
  return join(folder, "nats-server")
}

/** As `startBroker` has it. */
function keysFolderOf(plan: ServersPlan): string {
  return join(brokerFolderOf(plan), "keys")
}

async function startStore({ root, folder, ports, report, onPart, signal }: ServersPlan): Promise<void> {
  const began = performance.now()
  const url = storeUrl(ports)
  const part = await startPart({
    name: "sig-server",
    root,
    script: "apps/sig-server/src/main.ts",
    nodeFlags: ["--max-semi-space-size=16", "--max-old-space-size=1024"],
    args: ["--port", String(ports.store), "--data", join(folder, "sig-server"), "--metrics", "off"],
    logFile: join(folder, "logs", "sig-server.log"),
    signal,
    isReady: () => isReadyAt(url),
  })
  onPart(part)
  report.done(part.name, url, performance.now() - began)
}

async function startNats(
  plan: ServersPlan,
  { path, version }: { readonly path: string; readonly version: string },
): Promise<void> {
  const { folder, ports, report, onPart } = plan
  const began = performance.now()
  const broker = await startBroker(path, {
    folder: brokerFolderOf(plan),
    client: { host: "127.0.0.1", port: ports.broker },
    websocket: { host: "127.0.0.1", port: ports.websocket, allowedOrigins: [chatUrl(ports)] },
    monitorPort: ports.monitor,
  })
  const logFile = linkLog(folder, join(brokerFolderOf(plan), "nats-server.log"))
  onPart(toPart(broker, logFile))
  report.done(`nats-server ${version}`, `${broker.url}  ${broker.websocketUrl}`, performance.now() - began)
}

/** nats-server keeps and turns over its own log; all logs are found in one place. */
function linkLog(folder: string, logFile: string): string {
  const link = join(folder, "logs", "nats-server.log")
  mkdirSync(join(folder, "logs"), { recursive: true })
  rmSync(link, { force: true })
  symlinkSync(relative(join(folder, "logs"), logFile), link)
  return existsSync(link) ? link : logFile
}

function toPart({ child, ended, stop }: Broker, logFile: string): Part {
  const how = ended.then(() =>
    child.signalCode === null ? `exit code ${child.exitCode}` : `signal ${child.signalCode}`,
  )
  return { name: "nats-server", pid: child.pid, logFile, ended: how, stop }
}

async function startChat(plan: ServersPlan): Promise<void> {
  const { root, folder, ports, report, onPart, signal } = plan
  const began = performance.now()
  const url = chatUrl(ports)
  const part = await startPart({
    name: "chat-server",
    root,
    script: "apps/chat-server/src/main.ts",
    args: [
      ...["--port", String(ports.chat), "--data", join(folder, "chat-server"), "--metrics", "off"],
      ...["--registration", "open", "--stores", storeUrl(ports)],
      ...["--nats-url", `nats://127.0.0.1:${ports.broker}`, "--broker-keys", keysFolderOf(plan)],
    ],
    logFile: join(folder, "logs", "chat-server.log"),
    signal,
    isReady: () => isReadyAt(url, ({ checks }) => checks?.["broker"]?.ok === true),
  })
  onPart(part)
  report.done(part.name, url, performance.now() - began)
}

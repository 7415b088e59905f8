/** One run of `npm start`: everything started or nothing, watched until somebody or something ends it, and stopped in order. */
import { createInterface } from "node:readline/promises"
import { setTimeout as sleep } from "node:timers/promises"
import { KezError } from "@kez/core"
import type { StartOptions } from "./arguments.ts"
import { checkPeople } from "./check.ts"
import { tellCommands } from "./commands.ts"
import { listenForEnd } from "./ending.ts"
import { type FilesState, prepareFiles } from "./files.ts"
import { deleteFolder, lockFolder, openFolder, removeRunRecord, writeRunRecord } from "./folder.ts"
import { stopLeftovers } from "./leftovers.ts"
import { settleMs } from "./limits.ts"
import { lastLines, type Part } from "./part.ts"
import { ensurePeople, hasPeople, people, siteFolderOf } from "./people.ts"
import { assertFree, type Ports, portsFrom } from "./ports.ts"
import { formatSeconds, type Report } from "./report.ts"
import { startServers } from "./servers.ts"
import { startSite } from "./site.ts"

/** Resolves to the exit code. Throws `broker.port`, `store.busy` and the like when nothing could be started. */
export async function runTrial(options: StartOptions, report: Report): Promise<number> {
  const { folder } = options
  if (options.isReset) await reset(options, report)
  openFolder(folder)
  const lock = lockFolder(folder)
  try {
    report.title("KEZ trial: everything runs on this computer. Nothing is published.")
    const left = await stopLeftovers(folder)
    if (left.length > 0) report.say(`  Stopped what an earlier start left: ${left.join("; ")}`)
    const ports = portsFrom(options.portBase)
    await assertFree(ports)
    return await runLocked({ ...options, ports }, report)
  } finally {
    lock.release()
  }
}

async function reset({ folder, isSure }: StartOptions, report: Report): Promise<void> {
  openFolder(folder)
  const lock = lockFolder(folder)
  try {
    if (!isSure) await askToDelete(folder)
    await stopLeftovers(folder)
  } finally {
    lock.release()
  }
  deleteFolder(folder)
  report.say(`Deleted ${folder}`)
}

async function askToDelete(folder: string): Promise<void> {
  if (process.stdin.isTTY !== true || process.stdout.isTTY !== true) {
    throw new KezError("input.missing", `Cannot delete ${folder}: nobody can be asked`, {
      hint: "Nothing was changed. To delete it without asking: npm start -- --reset --yes",
    })
  }
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  const typed = await terminal.question(`Delete ${folder}, with the identities and messages of alice and bob? [y/N] `)
  terminal.close()
  if (!/^y(?:es)?$/i.test(typed.trim())) throw new KezError("input.cancelled", "Cancelled: nothing was deleted")
}

const siteName = "local site"

interface Plan extends StartOptions {
  readonly ports: Ports
}

type Outcome = "ready" | "asked" | Death

interface Death {
  readonly part: Part
  readonly how: string
}

async function runLocked(plan: Plan, report: Report): Promise<number> {
  const parts: Part[] = []
  const died = Promise.withResolvers<Death>()
  const ending = listenForEnd(parts)
  const onPart = (part: Part): void => {
    parts.push(part)
    const children = parts.flatMap(({ name, pid }) => (pid === undefined ? [] : [{ name, pid }]))
    writeRunRecord(plan.folder, { pid: process.pid, ports: plan.ports, children })
    void part.ended.then((how) => died.resolve({ part, how }))
  }
  let stopBuild = (): Promise<void> => Promise.resolve()
  const onBuild = (stop: () => Promise<void>): void => {
    stopBuild = stop
  }
  let filesState: FilesState = "off"
  const onFiles = (state: FilesState): void => {
    filesState = state
  }
  const starting = startAll(plan, { report, onPart, onBuild, onFiles, signal: ending.signal })
  try {
    const early = await Promise.race<Outcome>([starting, ending.asked, died.promise])
    if (early !== "ready" || plan.isCheck) return conclude(early, report)
    tellCommands(plan, filesState, report)
    const late = await Promise.race<Outcome>([ending.asked, died.promise])
    return late === "asked" ? 0 : conclude(late, report)
  } finally {
    ending.abort()
    // What was on its way may be there now, and has to be stopped, too.
    await Promise.race([starting.catch(() => undefined), sleep(settleMs)])
    await stopBuild()
    await stopAll(parts, report)
    removeRunRecord(plan.folder)
  }
}

/** The exit code, after saying why. */
function conclude(outcome: Outcome, report: Report): number {
  if (outcome === "ready") return 0
  if (outcome === "asked") {
    report.say("  Stopped before all was there.")
    return 130
  }
  const { part, how } = outcome
  report.failed(part.name, `ended by itself (${how}); everything is stopped. The end of ${part.logFile}:`)
  report.say(...lastLines(part.logFile).map((line) => `    ${line}`))
  return 1
}

interface Starting {
  readonly report: Report
  readonly onPart: (part: Part) => void
  readonly onBuild: (stop: () => Promise<void>) => void
  readonly onFiles: (state: FilesState) => void
  readonly signal: AbortSignal
}

async function startAll(plan: Plan, { report, onPart, onBuild, onFiles, signal }: Starting): Promise<Outcome> {
  const { root, folder, ports } = plan
  const began = performance.now()
  report.done("Node", process.versions.node, process.uptime() * 1_000)
  const site = await startSite(siteFolderOf(folder), ports.site)
  onPart({
    ...{ name: siteName, pid: undefined, logFile: "", ended: new Promise<string>(() => {}) },
    stop: () => site.close(),
  })
  await startServers({ root, folder, ports, report, onPart, signal })
  report.done(siteName, site.url, 0)
  const peopleBegan = performance.now()
  if (!hasPeople(folder)) report.waiting("two people, made with kez account create")
  const isNew = await ensurePeople({ root, folder, ports, signal })
  if (isNew || plan.isCheck) await checkPeople({ root, folder, ports, signal })
  const names = people.map((name) => `${name}@localhost`).join(", ")
  report.done(names, "each with a proof on the local site", performance.now() - peopleBegan)
  // Last: what it may have to build takes the processors from nobody who starts.
  const mayBuild = plan.mayBuild && !plan.isCheck
  onFiles(await prepareFiles({ root, folder, mayBuild, env: process.env, report, onBuild }))
  report.say(
    report.isTerminal
      ? `  all of it took ${formatSeconds(performance.now() - began)}`
      : `ready in ${formatSeconds(performance.now() - began)}`,
  )
  return "ready"
}

/** Who needs others goes first. */
const stopOrder = ["chat-server", "sig-server", "nats-server", siteName]

async function stopAll(parts: readonly Part[], report: Report): Promise<void> {
  if (parts.length === 0) return
  const began = performance.now()
  const ordered = parts.toSorted((a, b) => stopOrder.indexOf(a.name) - stopOrder.indexOf(b.name))
  for (const part of ordered) await part.stop()
  report.done("stopped", ordered.map(({ name }) => name).join(", "), performance.now() - began)
}

/** `kez doctor`: what works on this computer and what does not. Holds no secret, no name and no key: it can be shared. */
import { existsSync, statSync } from "node:fs"
import { backendNames } from "@kez/core"
import type { Context } from "../context.ts"
import { listAgents } from "../keys/agent.ts"
import { findCurrentName, type IdentityRecord, listIdentities, listOrphans } from "../keys/identities.ts"
import { findKeyFile } from "../keys/key-file-place.ts"
import { failureOf, paint, printable } from "../output.ts"
import type { Outcome } from "../run.ts"
import { version } from "../version.ts"
import { shortPath } from "./identity-view.ts"

type Finding = readonly [status: "ok" | "warning" | "problem", text: string]

interface Check {
  readonly name: string
  readonly status: Finding[0]
  readonly text: string
}

const resolverTimeoutMs = 5_000
const marks = { ok: "✓", warning: "!", problem: "✕" } as const
const colors = { ok: "green", warning: "yellow", problem: "red" } as const

export async function run(context: Context, options: { readonly offline?: boolean }): Promise<Outcome> {
  const { paths } = context
  const identities = tryListIdentities(context)
  const checks: readonly Check[] = [
    await check("backends", () => describeBackends()),
    ...(await Promise.all(
      [paths.data, paths.keys, paths.runtime].map((path, i) =>
        check(["data", "keys", "runtime"][i] ?? "", () => checkDir(context, path)),
      ),
    )),
    await check("identities", () => describeIdentities(context)),
    await check("key files", () => checkKeyFiles(context, identities)),
    await check("paper", () => checkPapers(identities)),
    await check("agent", async () => ["ok", `${(await listAgents(paths)).length} keys unlocked`]),
    await check("database", () => checkDatabase(context)),
    ...(options.offline === true ? [] : [await check("resolver", () => checkResolver(context))]),
  ]
  const problems = checks.filter(({ status }) => status === "problem").length
  return {
    schema: "kez.doctor/1",
    data: { version, node: process.version, platform: `${process.platform} ${process.arch}`, checks, problems },
    text: formatReport(context, checks, problems),
    exitCode: problems === 0 ? 0 : 1,
  }
}

async function check(name: string, look: () => Finding | Promise<Finding>): Promise<Check> {
  try {
    const [status, text] = await look()
    return { name, status, text }
  } catch (error) {
    const { message, code } = failureOf(error)
    return { name, status: "problem", text: `${message} [${code}]` }
  }
}

function describeBackends(): Finding {
  const names = Object.entries(backendNames()).map(([primitive, backend]) => `${primitive} by ${backend}`)
  return ["ok", names.join(", ")]
}

function checkDir({ env }: Context, path: string): Finding {
  const stats = statSync(path, { throwIfNoEntry: false })
  const shown = shortPath(env.userHome, path)
  if (stats === undefined) return ["ok", `${shown}, not made yet`]
  const mode = `0${(stats.mode & 0o777).toString(8)}`
  const isLoose = env.platform !== "win32" && (stats.mode & 0o077) !== 0
  if (!stats.isDirectory()) return ["problem", `${shown} is not a directory`]
  return isLoose ? ["warning", `${shown} has mode ${mode}: chmod 700 '${path}'`] : ["ok", `${shown}, mode ${mode}`]
}

function describeIdentities({ paths }: Context): Finding {
  const count = listIdentities(paths).length
  const orphans = listOrphans(paths).length
  if (orphans > 0) return ["warning", `${count}, and ${orphans} key files without a record (kez identity list)`]
  if (count > 1 && findCurrentName(paths) === undefined)
    return ["warning", `${count}, none in use: kez identity use NAME`]
  return ["ok", String(count)]
}

function checkKeyFiles({ paths, env }: Context, identities: readonly IdentityRecord[]): Finding {
  const places = identities.map(({ name }) => findKeyFile(paths.keys, name))
  const isWindows = env.platform === "win32"
  const loose = places.filter((place) => !isWindows && place !== undefined && (place.mode & 0o077) !== 0).length
  const missing = places.filter((place) => place === undefined).length
  const plain = places.filter((place) => place?.isEncrypted === false).length
  if (loose > 0) return ["problem", `${loose} readable by other users, so refused: chmod 600`]
  if (missing > 0) return ["warning", `${missing} not on this computer`]
  return plain > 0 ? ["warning", `${plain} not encrypted`] : ["ok", `${places.length} encrypted`]
}

function checkPapers(identities: readonly IdentityRecord[]): Finding {
  const pending = identities.filter(({ backup, words }) => backup === "pending" && words !== undefined).length
  return pending > 0 ? ["warning", `${pending} never checked: kez identity mnemonic NAME`] : ["ok", "checked"]
}

async function checkDatabase({ paths }: Context): Promise<Finding> {
  if (!existsSync(paths.database)) return ["ok", "not made yet"]
  const { DatabaseSync } = await import("node:sqlite")
  const database = new DatabaseSync(paths.database, { readOnly: true })
  try {
    const [found] = Object.values(database.prepare("PRAGMA quick_check(1)").get() ?? {})
    const kib = Math.ceil(statSync(paths.database).size / 1_024)
    return found === "ok" ? ["ok", `${kib} KiB, intact`] : ["problem", `damaged: ${String(found)}`]
  } finally {
    database.close()
  }
}

async function checkResolver({ settings }: Context): Promise<Finding> {
  const { createResolver } = await import("@kez/channels")
  const servers = settings.resolver.value
  const resolver = createResolver(servers.length === 0 ? {} : { servers })
  const began = performance.now()
  const { status, server } = await resolver.resolveTxt("example.org", AbortSignal.timeout(resolverTimeoutMs))
  return ["ok", `${server} answers in ${Math.round(performance.now() - began)} ms (${status})`]
}

/** The list itself may be what is broken; "identities" then says so. */
function tryListIdentities({ paths }: Context): readonly IdentityRecord[] {
  try {
    return listIdentities(paths)
  } catch {
    return []
  }
}

function formatReport({ terminal }: Context, checks: readonly Check[], problems: number): string {
  const lines = checks.map(
    ({ name, status, text }) =>
      `  ${paint(terminal.color, colors[status], marks[status])} ${name.padEnd(12)}${printable(text)}`,
  )
  const end = problems === 0 ? "No problems." : problems === 1 ? "1 problem." : `${problems} problems.`
  return [`kez ${version}, Node ${process.version}, ${process.platform} ${process.arch}`, ...lines, end].join("\n")
}

/** `kez doctor`: what works on this computer and what does not. Holds no secret, no name and no key: it can be shared. */
import { accessSync, constants, existsSync, statSync } from "node:fs"
import { dirname } from "node:path"
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
  const problems = countOf(checks, "problem")
  return {
    schema: "kez.doctor/1",
    data: { version, node: process.version, platform: `${process.platform} ${process.arch}`, checks, problems },
    text: formatReport(context, checks),
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
  if (stats === undefined) return checkPlaceFor(path, shown)
  const mode = `0${(stats.mode & 0o777).toString(8)}`
  const isLoose = env.platform !== "win32" && (stats.mode & 0o077) !== 0
  if (!stats.isDirectory()) return ["problem", `${shown} is not a directory`]
  if (!isWritable(path)) return ["problem", `${shown} cannot be written: check who owns it, or set KEZ_HOME`]
  return isLoose ? ["warning", `${shown} has mode ${mode}: chmod 700 '${path}'`] : ["ok", `${shown}, mode ${mode}`]
}

/** Where a directory is to be made, the nearest one that is there decides whether it can be. */
function checkPlaceFor(path: string, shown: string): Finding {
  let parent = dirname(path)
  while (!existsSync(parent) && dirname(parent) !== parent) parent = dirname(parent)
  if (statSync(parent).isDirectory() && isWritable(parent)) return ["ok", `${shown}, not made yet`]
  return ["problem", `${shown} cannot be made: ${parent} cannot be written. Set KEZ_HOME to another directory`]
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK | constants.X_OK)
    return true
  } catch {
    return false
  }
}

function describeIdentities({ paths }: Context): Finding {
  const count = listIdentities(paths).length
  const orphans = listOrphans(paths).length
  if (orphans > 0) return ["warning", `${count}, and ${orphans} key files without a record (kez identity list)`]
  if (count > 1 && findCurrentName(paths) === undefined)
    return ["warning", `${count}, none in use: kez identity use NAME`]
  return ["ok", String(count)]
}

function checkKeyFiles({ paths, env }: Context, identities: readonly IdentityRecord[] | undefined): Finding {
  if (identities === undefined) return unknown
  const places = identities.map(({ name }) => findKeyFile(paths.keys, name))
  const isWindows = env.platform === "win32"
  const loose = places.filter((place) => !isWindows && place !== undefined && (place.mode & 0o077) !== 0).length
  const missing = places.filter((place) => place === undefined).length
  const plain = places.filter((place) => place?.isEncrypted === false).length
  if (loose > 0) return ["problem", `${loose} readable by other users, so refused: chmod 600`]
  if (missing > 0) return ["warning", `${missing} not on this computer`]
  return plain > 0 ? ["warning", `${plain} not encrypted`] : ["ok", `${places.length} encrypted`]
}

const unknown: Finding = ["warning", "unknown while the identities cannot be read"]

function checkPapers(identities: readonly IdentityRecord[] | undefined): Finding {
  if (identities === undefined) return unknown
  const pending = identities.filter(({ backup, words }) => backup === "pending" && words !== undefined).length
  if (identities.length === 0) return ["ok", "nothing to check"]
  return pending > 0 ? ["warning", `${pending} never checked: kez identity mnemonic NAME`] : ["ok", "checked"]
}

async function checkDatabase({ paths }: Context): Promise<Finding> {
  if (!existsSync(paths.database)) return ["ok", "not made yet"]
  const [{ DatabaseSync }, { guard }] = await Promise.all([import("node:sqlite"), import("../store/database.ts")])
  const database = guard(paths.database, () => new DatabaseSync(paths.database, { readOnly: true }))
  try {
    const look = () => database.prepare("PRAGMA quick_check(1)").get() ?? {}
    const [found] = Object.values(guard(paths.database, look))
    const kib = Math.ceil(statSync(paths.database).size / 1_024)
    return found === "ok" ? ["ok", `${kib} KiB, intact`] : ["problem", `damaged: ${String(found)}`]
  } finally {
    database.close()
  }
}

async function checkResolver(context: Context): Promise<Finding> {
  const { openResolver } = await import("../network.ts")
  const resolver = openResolver(context, { timeoutMs: resolverTimeoutMs })
  const began = performance.now()
  const { server } = await resolver.resolveTxt("example.org", AbortSignal.timeout(resolverTimeoutMs))
  return ["ok", `${server} answers in ${Math.round(performance.now() - began)} ms`]
}

/** Undefined where the list itself is what is broken; "identities" then says so. */
function tryListIdentities({ paths }: Context): readonly IdentityRecord[] | undefined {
  try {
    return listIdentities(paths)
  } catch {
    return undefined
  }
}

function formatReport({ terminal }: Context, checks: readonly Check[]): string {
  const lines = checks.map(
    ({ name, status, text }) =>
      `  ${paint(terminal.color, colors[status], marks[status])} ${name.padEnd(12)}${printable(text)}`,
  )
  const problems = countOf(checks, "problem")
  const warnings = countOf(checks, "warning")
  const parts = [counted(problems, "problem"), ...(warnings === 0 ? [] : [counted(warnings, "warning")])]
  const end = `${parts.join(", ")}.`
  return [`kez ${version}, Node ${process.version}, ${process.platform} ${process.arch}`, ...lines, end].join("\n")
}

function countOf(checks: readonly Check[], wanted: Finding[0]): number {
  return checks.filter(({ status }) => status === wanted).length
}

function counted(count: number, what: string): string {
  return `${count === 0 ? "No" : count} ${what}${count === 1 ? "" : "s"}`
}

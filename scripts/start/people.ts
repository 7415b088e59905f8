/**
 * The two people of `npm start`, made by the commands that everybody uses: an account with its chain and handle, and a proof on the local
 * site. They are for trying only: their passphrase and recovery words lie beside them.
 */
import { execFile } from "node:child_process"
import { randomBytes } from "node:crypto"
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { type Code, type Digest, encodeProof, KezError } from "@kez/core"
import { commandMs, headDays } from "./limits.ts"
import { cleanEnvironment } from "./part.ts"
import type { Ports } from "./ports.ts"
import { chatUrl, storeUrl } from "./servers.ts"
import { placeProof, siteHost, subjectOf } from "./site.ts"

export const people = ["alice", "bob"] as const

export interface PeoplePlan {
  readonly root: string
  readonly folder: string
  readonly ports: Ports
  /** Ends the commands that are under way. */
  readonly signal: AbortSignal
}

type KezAnswer = Readonly<Record<string, unknown>>
type Kez = (...args: readonly string[]) => Promise<KezAnswer>

export function homeOf(folder: string, name: string): string {
  return join(folder, name)
}

export function passphraseFileOf(folder: string): string {
  return join(folder, "passphrase")
}

export function siteFolderOf(folder: string): string {
  return join(folder, "site")
}

/** Makes what is missing of both; an interrupted start goes on where it was. True if something had to be made. */
export async function ensurePeople(plan: PeoplePlan): Promise<boolean> {
  const file = passphraseFileOf(plan.folder)
  if (!existsSync(file)) writeFileSync(file, `${randomBytes(12).toString("base64url")}\n`, { mode: 0o600 })
  const made = await Promise.all(people.map((name) => ensurePerson(plan, name)))
  return made.includes(true)
}

/** Whether both were finished by an earlier start. */
export function hasPeople(folder: string): boolean {
  return people.every((name) => readReadyAt(readyFileOf(folder, name)) !== undefined)
}

function readyFileOf(folder: string, name: string): string {
  return join(homeOf(folder, name), "ready.json")
}

async function ensurePerson(plan: PeoplePlan, name: string): Promise<boolean> {
  const home = homeOf(plan.folder, name)
  mkdirSync(home, { recursive: true, mode: 0o700 })
  writeFileSync(join(home, "config.toml"), configOf(plan.ports))
  const place = readyFileOf(plan.folder, name)
  const readyAt = readReadyAt(place)
  if (readyAt !== undefined && Date.now() - readyAt < headDays * 86_400_000) return false
  const kez: Kez = (...args) => runKez(plan, name, args)
  if (readyAt === undefined) await makePerson(plan, name, kez)
  else await kez("sigchain", "publish")
  writeFileSync(place, `${JSON.stringify({ readyAt: Date.now() })}\n`)
  return true
}

async function makePerson({ folder }: PeoplePlan, name: string, kez: Kez): Promise<void> {
  const chain = await makeAccount(folder, name, kez)
  await kez("sigchain", "add", subjectOf(name))
  placeProof(siteFolderOf(folder), name, encodeProof({ chain }, "reference"))
  await kez("sigchain", "publish")
}

/** The chain of the account. */
async function makeAccount(folder: string, name: string, kez: Kez): Promise<Digest> {
  try {
    const { chain, recovery_words: words } = await kez("account", "create", `${name}@localhost`, "--reveal-words")
    if (Array.isArray(words)) {
      const text = `${words.join(" ")}\n`
      writeFileSync(join(homeOf(folder, name), "recovery-words.txt"), text, { mode: 0o600 })
    }
    return chain as Digest
  } catch (error) {
    if (!(error instanceof KezError) || error.code !== "store.exists") throw error
    return (await kez("account", "show", `${name}@localhost`))["chain"] as Digest
  }
}

function readReadyAt(place: string): number | undefined {
  try {
    const { readyAt } = JSON.parse(readFileSync(place, "utf8"))
    return typeof readyAt === "number" ? readyAt : undefined
  } catch {
    return undefined
  }
}

/** Only these three places are reached on this computer; everywhere else is the internet, as ever. */
function configOf(ports: Ports): string {
  return `# Written by npm start each time; changes here are lost.
stores = ["${storeUrl(ports)}"]
[hosts]
"localhost" = "${chatUrl(ports)}"
"${siteHost}" = "http://127.0.0.1:${ports.site}"
`
}

/** `data` of its answer. Throws with its code and what it said when it failed. */
export function runKez(
  { root, folder, signal }: PeoplePlan,
  name: string,
  args: readonly string[],
): Promise<KezAnswer> {
  const given = [...args, "--json", "--no-input", "--passphrase-file", passphraseFileOf(folder)]
  const env = { ...cleanEnvironment(process.env), KEZ_HOME: homeOf(folder, name) }
  return new Promise((resolve, reject) => {
    const options = { cwd: root, env, signal, timeout: commandMs, maxBuffer: 1_048_576 }
    // It holds keys: on SIGUSR1 Node would listen for a debugger.
    const node = ["--disable-sigusr1", join(root, "apps/cli/src/main.ts")]
    execFile(process.execPath, [...node, ...given], options, (error, stdout, stderr) => {
      const answer = tryParse(stdout)
      if (answer?.data !== undefined && error === null) resolve(answer.data)
      else reject(commandFault(args, answer, { stderr, cause: error }))
    })
  })
}

interface Answer {
  readonly data?: KezAnswer
  readonly error?: { readonly code: Code; readonly message: string }
}

function tryParse(text: string): Answer | undefined {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function commandFault(args: readonly string[], answer: Answer | undefined, { stderr, cause }: Said): KezError {
  const said = answer?.error?.message ?? stderr.trim().slice(0, 2_000)
  const command = `kez ${args.slice(0, 3).join(" ")}`
  return new KezError(answer?.error?.code ?? "internal", `Cannot make the two people: ${command} failed: ${said}`, {
    cause,
    hint: "The next npm start goes on with it; npm start -- --reset begins anew.",
  })
}

interface Said {
  readonly stderr: string
  readonly cause: unknown
}

/** A command line under test, as a black box: `./kez` or `kez-rs`, with a home of its own. */
import { spawn } from "node:child_process"
import { cpSync, existsSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs"
import { join } from "node:path"

export interface Command {
  /** typescript or rust. */
  readonly name: string
  readonly path: string
}

export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** The members of `data` that scenarios read, of all schemas together. docs/json.md */
export interface Data {
  readonly identity: string
  readonly words: number
  readonly locked: readonly string[]
  readonly unlocked_until: number
  readonly identities: readonly { readonly name: string; readonly unlocked_until?: number }[]
  readonly subject: string
  readonly text: string
  readonly digest: string
  readonly primary: string
  readonly primaries: readonly string[]
  readonly created_at: string
  readonly status: string
  readonly reason: string | null
  readonly flags: readonly string[]
  readonly claim: Pick<Data, "digest" | "primary" | "created_at">
  readonly chain: string
  readonly contested: boolean
  readonly next: string | null
  readonly verdicts: readonly Pick<Data, "status" | "reason">[]
  readonly read: number
  readonly added: number
  readonly refused: readonly { readonly code: string }[]
  readonly head: { readonly seq: number; readonly digest: string }
  readonly devices: readonly { readonly key: string; readonly added_by: string; readonly suspended: boolean }[]
  readonly subjects: readonly { readonly subject: string; readonly status: string }[]
  readonly events: readonly {
    readonly digest: string
    readonly op: string
    readonly signer: string
    readonly payload: unknown
  }[]
  readonly losing: Data["events"]
  readonly left_behind: readonly { readonly seq: number; readonly op: string }[]
  readonly suspended: readonly string[]
  readonly lifted: { readonly devices: readonly string[]; readonly subjects: readonly string[] }
  readonly revocations: Data["events"]
  readonly splits: readonly {
    readonly successors: readonly { readonly digest: string; readonly rank: string }[]
    readonly winner: string | null
  }[]
}

/** What `--json` prints. docs/json.md */
export interface Answer {
  readonly code: number
  readonly schema: string
  readonly ok: boolean
  readonly data: Data
  readonly error: { readonly code: string } | undefined
}

export interface Tool {
  readonly name: string
  /** Runs a command; `input` is its stdin. */
  run(args: readonly string[], input?: string | Uint8Array): Promise<Ran>
  /** The one JSON object of a command. */
  json(args: readonly string[], input?: string | Uint8Array): Promise<Answer>
  /** `data` of a command that must not fail. */
  data(args: readonly string[], input?: string | Uint8Array): Promise<Data>
  /** The same tool with a home in which nothing is: a reader, who holds no key. */
  fresh(): Tool
  /** The same tool over the home of another. */
  sharing(other: Tool): Tool
  /** Its own folder; what it keeps is in `kez` there. */
  readonly home: string
  /** Writes a file where only this tool looks; returns its path. */
  file(name: string, content: string | Uint8Array): string
}

/** Told of every command, with `-v`. */
export type Echo = (text: string) => void

/** Enough to start on any system, nothing that changes what is done. */
const inherited = ["PATH", "SystemRoot", "TMPDIR", "TEMP", "NODE_COMPILE_CACHE"]
const timeoutMs = 60_000

export interface ToolSetup {
  /** Homes are made in it. */
  readonly folder: string
  /** What a home begins with. */
  readonly template?: string
  readonly echo: Echo
}

export function openTool(command: Command, setup: ToolSetup): Tool {
  const home = mkdtempSync(join(setup.folder, `${command.name}-`))
  if (setup.template !== undefined) cpSync(setup.template, join(home, "kez"), { recursive: true })
  return toolAt(home, command, setup)
}

function toolAt(home: string, command: Command, setup: ToolSetup): Tool {
  const { echo } = setup
  const run = async (args: readonly string[], input: string | Uint8Array = ""): Promise<Ran> => {
    echo(`$ ${command.name === "rust" ? "kez-rs" : "kez"} ${args.map(quoted).join(" ")}`)
    const ran = await start(command.path, [...args, "--no-input"], { home, input })
    echo(`${ran.stdout}${ran.stderr}exit ${ran.code}`)
    return ran
  }
  const json = async (args: readonly string[], input?: string | Uint8Array): Promise<Answer> => {
    const { code, stdout, stderr } = await run([...args, "--json"], input)
    if (!/^\{[^\n]+\}\n$/.test(stdout)) throw new Error(`${command.name} printed no JSON object: ${stdout}${stderr}`)
    return { ...JSON.parse(stdout), code }
  }
  return {
    name: command.name,
    home,
    fresh: () => openTool(command, { folder: setup.folder, echo }),
    sharing: (other) => toolAt(other.home, command, setup),
    run,
    json,
    async data(args, input) {
      const answer = await json(args, input)
      if (!answer.ok) throw new Error(`${command.name} ${args.join(" ")}: ${JSON.stringify(answer.error)}`)
      return answer.data
    },
    file(name, content) {
      const path = join(home, name)
      writeFileSync(path, content, { mode: 0o600 })
      return path
    },
  }
}

/** Restores identities from their words, once; scenarios copy what comes of it. Returns the folder. */
export async function makeTemplate(command: Command, folder: string, people: readonly Person[]): Promise<string> {
  const home = mkdtempSync(join(folder, `${command.name}-template-`))
  for (const { name, words, system } of people) {
    const args = ["identity", "restore", name, "--mnemonic", "-", "--key-type", system, "--no-passphrase", "--no-input"]
    const { code, stderr } = await start(command.path, args, { home, input: words })
    if (code !== 0) throw new Error(`${command.name} cannot restore ${name}: ${stderr}`)
  }
  if (!existsSync(join(home, "kez"))) mkdirSync(join(home, "kez"))
  return join(home, "kez")
}

export interface Person {
  readonly name: string
  readonly words: string
  readonly system: "ed25519" | "nostr"
}

function start(
  path: string,
  args: readonly string[],
  { home, input }: { home: string; input: string | Uint8Array },
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const kept = Object.fromEntries(inherited.map((name) => [name, process.env[name]]))
    const own = { HOME: home, KEZ_HOME: join(home, "kez"), CI: "true", NO_COLOR: "1", LANG: "C.UTF-8", TZ: "UTC" }
    const child = spawn(path, args, { cwd: home, env: { ...kept, ...own }, timeout: timeoutMs, killSignal: "SIGKILL" })
    const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []]
    child.stdout.on("data", (bytes: Buffer) => stdout.push(bytes))
    child.stderr.on("data", (bytes: Buffer) => stderr.push(bytes))
    child.stdin.on("error", () => {}) // it ended without reading
    child.stdin.end(input)
    child.on("error", reject)
    child.on("close", (code, signal) => {
      if (code === null) reject(new Error(`${path} ${args.join(" ")} was ended by ${signal}`))
      else resolve({ code, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() })
    })
  })
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}

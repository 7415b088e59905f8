/** People for tests of whole commands: each has a KEZ_HOME of its own, with settings that lead to servers on loopback. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type RunOptions, type RunResult, runKez } from "./cli.ts"

export interface PersonSetup {
  /** Of config.toml. */
  readonly hosts?: Readonly<Record<string, string>>
  readonly relays?: readonly string[]
  readonly stores?: readonly string[]
  readonly resolver?: string
  readonly publicResolvers?: readonly string[]
  /** The kind of key that the person holds. A mere reader holds none. */
  readonly holds?: "ed25519" | "nostr"
}

export interface Answer {
  readonly code: number
  readonly stderr: string
  readonly schema: string
  readonly ok: boolean
  /** As docs/json.md describes it for the schema. */
  readonly data: ReturnType<typeof JSON.parse>
  readonly error: { readonly code: string; readonly message: string; readonly hint?: string }
  readonly warnings: readonly string[]
}

export interface Person {
  /** Key identity; "" for a reader. */
  readonly key: string
  readonly dir: string
  /** KEZ_HOME. */
  readonly home: string
  kez(args: readonly string[], options?: RunOptions): Promise<RunResult>
  /** With --json; throws unless stdout is one object on one line. */
  json(args: readonly string[], options?: RunOptions): Promise<Answer>
  /** Writes a file outside KEZ_HOME and returns its path. */
  file(name: string, text: string): string
  /** Whether any file below the person's folder but those of `file` holds a text. */
  keeps(text: string): boolean
}

/** For `t.after` of a test or `after` of a suite. */
export interface Cleaner {
  after(clean: () => void | Promise<void>): void
}

/** For what lives to the end of a suite: `laterCleaner(after)` in it. The last that was made ends first. */
export function laterCleaner(after: (run: () => Promise<void>) => void): Cleaner {
  const cleaners: (() => unknown)[] = []
  after(async () => {
    for (const clean of cleaners.toReversed()) await clean()
  })
  return { after: (clean) => void cleaners.push(clean) }
}

export async function makePerson(t: Cleaner, setup: PersonSetup = {}): Promise<Person> {
  const dir = mkdtempSync(join(tmpdir(), "kez-person-"))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  const home = join(dir, "kez")
  mkdirSync(home)
  writeFileSync(join(home, "config.toml"), configOf(setup))
  const kez: Person["kez"] = (args, options = {}) =>
    runKez(args, { ...options, env: { KEZ_HOME: home, HOME: dir, ...options.env } })
  const files = new Set<string>()
  return {
    key: setup.holds === undefined ? "" : await makeKey(kez, setup.holds),
    dir,
    home,
    kez,
    async json(args, options) {
      const { code, stdout, stderr } = await kez([...args, "--json"], options)
      if (!/^[^\n]+\n$/.test(stdout)) throw new Error(`Cannot read the answer: ${stdout}${stderr}`)
      return { code, stderr, ...JSON.parse(stdout) }
    },
    file(name, text) {
      const path = join(dir, name)
      writeFileSync(path, text, { mode: 0o600 })
      files.add(path)
      return path
    },
    keeps(text) {
      const entries = readdirSync(dir, { recursive: true, withFileTypes: true })
      const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
      return paths.some((path) => !files.has(path) && readFileSync(path).includes(text))
    },
  }
}

async function makeKey(kez: Person["kez"], type: string): Promise<string> {
  const { code, stdout, stderr } = await kez(["identity", "new", "me", "--key-type", type, "--no-passphrase", "--json"])
  if (code !== 0) throw new Error(`Cannot make an identity: ${stdout}${stderr}`)
  return JSON.parse(stdout).data.identity
}

function configOf({ hosts = {}, relays, stores, resolver, publicResolvers }: PersonSetup): string {
  const list = (name: string, texts: readonly string[] | undefined): readonly string[] =>
    texts === undefined ? [] : [`${name} = ${JSON.stringify(texts)}`]
  return [
    ...list("relays", relays),
    ...list("stores", stores),
    // Without a test's own resolver nobody's is asked.
    ...list("resolver", [resolver ?? "127.0.0.1:9"]),
    ...list("public_resolvers", publicResolvers),
    "[hosts]",
    ...Object.entries(hosts).map(([host, base]) => `"${host}" = "${base}"`),
    "",
  ].join("\n")
}

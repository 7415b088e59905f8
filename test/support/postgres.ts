/** A real PostgreSQL of a test's own: a new cluster in a temporary folder, durable as in production, gone at the end. */
import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { chownSync, globSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { Client } from "pg"
import { freePorts } from "./ports.ts"
import { findServer, skipWithout } from "./servers.ts"

const run = promisify(execFile)
const user = "kez"
/** After a crash it has all of its files written before it answers: long where the disk is busy. */
const readyWithinMs = 60_000

/** Debian keeps each version in a folder of its own; the newest comes first. */
const dirs = globSync("/usr/lib/postgresql/*/bin").toSorted((a, b) => Number(b.split("/")[4]) - Number(a.split("/")[4]))

/** For `{ skip: postgresMissing }`. */
export const postgresMissing: string | false = skipWithout("postgres", dirs)

export interface TestPostgres {
  /** A new, empty database; gives its URL. `folder`: where its tables lie, empty and on whatever disk. */
  createDatabase(folder?: string): Promise<string>
  /** Ends it as a power cut ends a program: no shutdown, no last checkpoint. */
  crash(): Promise<void>
  /** Starts it again, after `crash`. */
  start(): Promise<void>
  /** Ends it and removes its folder. */
  close(): Promise<void>
}

export interface PostgresSettings {
  /** Lines of postgresql.conf, as `{ max_connections: "20" }`. */
  readonly [name: string]: string
}

export async function startPostgres(settings: PostgresSettings = {}): Promise<TestPostgres> {
  const folder = mkdtempSync(join(tmpdir(), "kez-pg-"))
  const as = unprivileged()
  if (as !== undefined) chownSync(folder, as.uid, as.gid)
  const data = join(folder, "data")
  await run(program("initdb"), ["-D", data, "-U", user, "-E", "UTF8", "--locale=C", "-A", "trust"], {
    ...as,
    cwd: folder,
  })
  const [port = 0] = await freePorts(1)
  const base = `postgres://${user}@127.0.0.1:${port}`
  let child: ChildProcess | undefined
  let databases = 0
  const start = async (): Promise<void> => {
    const fixed = { listen_addresses: "127.0.0.1", port: String(port), unix_socket_directories: folder, fsync: "on" }
    const lines = Object.entries({ ...fixed, ...settings }).flatMap(([name, value]) => ["-c", `${name}=${value}`])
    child = spawn(program("postgres"), ["-D", data, ...lines], { ...as, cwd: folder, stdio: "ignore" })
    await ready(`${base}/postgres`, child)
  }
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, "exit")
    child.kill(signal)
    await exited
  }
  await start()
  return {
    start,
    async createDatabase(place) {
      const name = `kez_${++databases}`
      if (place !== undefined) {
        if (as !== undefined) chownSync(place, as.uid, as.gid)
        await query(`${base}/postgres`, `CREATE TABLESPACE of_${name} LOCATION '${place}'`)
      }
      await query(`${base}/postgres`, `CREATE DATABASE ${name} ${place === undefined ? "" : `TABLESPACE of_${name}`}`)
      return `${base}/${name}`
    },
    // Its own name for it: all processes stop at once, and the next start recovers from the journal.
    crash: () => end("SIGQUIT"),
    async close() {
      await end("SIGINT")
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Runs one statement on a connection of its own. */
export async function query(url: string, text: string): Promise<readonly unknown[]> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000 })
  // What breaks it is told by the query.
  client.on("error", () => undefined)
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(text)).rows
  } finally {
    await client.end()
  }
}

function program(name: string): string {
  const path = findServer(name, dirs)
  if (path === undefined) throw new Error(`unreachable: the test is skipped without ${name}`)
  return path
}

/** PostgreSQL refuses to run as root. */
function unprivileged(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const id = (flag: string): number => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }))
  return { uid: id("-u"), gid: id("-g") }
}

async function ready(url: string, child: ChildProcess): Promise<void> {
  const deadline = performance.now() + readyWithinMs
  for (;;) {
    if (child.exitCode !== null) throw new Error("the database ended before it was ready")
    try {
      await query(url, "SELECT 1")
      return
    } catch (error) {
      if (performance.now() > deadline) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

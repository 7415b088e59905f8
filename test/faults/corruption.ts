/** D-4: one flipped bit in the database or in its log. It is named, and nothing that it touched is served as if it were whole. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import type { Problem } from "./check.ts"
import { type Answer, type Connection, codeOf, connect } from "./connection.ts"
import { History } from "./history.ts"
import { createWriter, runRivals } from "./load.ts"
import type { Random } from "./random.ts"
import { spawnStore, startStore } from "./store-process.ts"

const databaseName = "kez-sig.sqlite"
const feedPath = "/v1/events?limit=1000"

export interface CorruptionReport {
  readonly injected: number
  /** The store did not start, and said why. */
  readonly refusedToStart: number
  /** It started, and refused what was hurt. */
  readonly refusedToServe: number
  /** All answers are as before: the bit meant nothing. */
  readonly harmless: number
  /** In the last transaction of the log, which looks like one that a power cut ended: only that is missing. */
  readonly tail: number
  readonly problems: readonly Problem[]
}

export interface CorruptionOptions {
  /** `log`: the write-ahead log after a kill -9. */
  readonly where: "database" | "log"
  readonly flips: number
  readonly random: Random
}

export async function flipBits({ where, flips, random }: CorruptionOptions): Promise<CorruptionReport> {
  const folder = mkdtempSync(join(tmpdir(), "kez-flips-"))
  try {
    const whole = join(folder, "whole")
    const paths = await fill(whole, where, random)
    const path = where === "log" ? `${databaseName}-wal` : databaseName
    const bytes = readFileSync(join(whole, path))
    const expected = await answersOf({ data: copyOf(whole) }, paths)
    if (expected === undefined) throw new Error("the whole store did not start")
    const tally = { refusedToStart: 0, refusedToServe: 0, harmless: 0, tail: 0 }
    const problems: Problem[] = []
    for (let flip = 0; flip < flips; flip++) {
      const at = random.below(bytes.length)
      const hurt = Buffer.from(bytes)
      hurt.writeUInt8(hurt.readUInt8(at) ^ (1 << random.below(8)), at)
      const data = copyOf(whole)
      writeFileSync(join(data, path), hurt)
      const outcome = compare(await answersOf({ data }, paths), expected)
      if (typeof outcome === "string") tally[outcome] += 1
      else
        problems.push({ finding: "wrong answer", about: `a bit of byte ${at} of ${path} changed ${outcome.changed}` })
      rmSync(data, { recursive: true })
    }
    return { injected: flips, ...tally, problems }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function copyOf(whole: string): string {
  const copy = mkdtempSync(`${whole}-`)
  cpSync(whole, copy, { recursive: true })
  return copy
}

/** A store with chains, forks and heads; resolves to what can be read there. The last transaction of the log is one event. */
async function fill(data: string, where: "database" | "log", random: Random): Promise<readonly string[]> {
  const history = new History()
  const store = await startStore({ data })
  const until = new AbortController()
  const rivals = runRivals(store.at, { history, random: random.fork("rivals"), signal: until.signal })
  await sleep(300)
  until.abort()
  await rivals
  const connection = connect(store.at)
  for (let i = 0; i < 4; i++)
    await createWriter(history, random.fork(`writer ${i}`), `w${i}`).run(connection, new AbortController().signal, 40)
  connection.close()
  if (where === "log") await store.kill()
  else await store.stop()
  return [
    feedPath,
    ...[...history.chains.keys()].flatMap((chain) => [`/v1/chains/${chain}`, `/v1/chains/${chain}/forks`]),
  ]
}

type Answers = ReadonlyMap<string, Answer>

/** Undefined: the store refused to start, for a reason that it named. */
async function answersOf(place: { readonly data: string }, paths: readonly string[]): Promise<Answers | undefined> {
  const store = spawnStore(place)
  const url = await store.url.catch(() => undefined)
  try {
    if (url === undefined) {
      if (/\[store\.(?:corrupt|newer)\]/.test(store.output())) return undefined
      throw new Error(`the store ended without a word for it: ${store.output()}`)
    }
    return await readAll(connect(url), paths)
  } finally {
    await store.kill()
  }
}

async function readAll(connection: Connection, paths: readonly string[]): Promise<Answers> {
  const answers = new Map<string, Answer>()
  for (const path of paths) answers.set(path, await connection.get(path))
  connection.close()
  return answers
}

type Compared = "refusedToStart" | "refusedToServe" | "harmless" | "tail" | { readonly changed: string }

function compare(found: Answers | undefined, expected: Answers): Compared {
  if (found === undefined) return "refusedToStart"
  const isSame = (path: string): boolean =>
    expected.get(path)?.status === found.get(path)?.status &&
    expected.get(path)?.body.equals(found.get(path)?.body ?? Buffer.alloc(0)) === true
  const others = [...expected.keys()].filter((path) => !isSame(path))
  const unnamed = others.filter((path) => {
    const answer = found.get(path)
    return answer === undefined || answer.status !== 500 || codeOf(answer) !== "store.corrupt"
  })
  if (unnamed.length === 0) return others.length === 0 ? "harmless" : "refusedToServe"
  return lacksLastEvent(found, expected) ? "tail" : { changed: unnamed.join(" ") }
}

/** Whether the feed is the same but for its last line. */
function lacksLastEvent(found: Answers, expected: Answers): boolean {
  const [now = "", before = ""] = [found, expected].map((answers) => answers.get(feedPath)?.body.toString())
  return now === before || now === before.slice(0, before.lastIndexOf("\n", before.length - 2) + 1)
}

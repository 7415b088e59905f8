/** The PostgreSQL storage on a real server: the suite of every storage, and what only several copies can get wrong. */
import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, test } from "node:test"
import { Client } from "pg"
import { openPostgres } from "../../apps/sig-server/src/storage/postgres.ts"
import {
  migrate,
  newestPostgresVersion,
  postgresMigrations,
} from "../../apps/sig-server/src/storage/postgres-schema.ts"
import type { Storage } from "../../apps/sig-server/src/storage/storage.ts"
import { eventNamed, testStorage } from "../../apps/sig-server/test/storage-suite.ts"
import { digestOf } from "../../packages/core/src/index.ts"
import { postgresMissing, query, startPostgres } from "../support/postgres.ts"

const skip = postgresMissing
const server = skip === false ? await startPostgres() : undefined
after(() => server?.close())

async function newDatabase(): Promise<string> {
  if (server === undefined) throw new Error("unreachable: the test is skipped without a server")
  return await server.createDatabase()
}

testStorage("PostgreSQL", {
  skip,
  async makePlace() {
    const url = await newDatabase()
    return { open: () => openPostgres(url), remove: async () => undefined }
  },
})

/** A disk of a few megabytes needs root, and a system that lets it mount one. */
function noSmallDisk(): false | string {
  const disk = mkdtempSync(join(tmpdir(), "kez-small-"))
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], { stdio: "ignore" })
    execFileSync("umount", [disk])
    return false
  } catch {
    return "a small disk cannot be mounted here"
  } finally {
    rmSync(disk, { recursive: true, force: true })
  }
}

/** Opens storages on one new database and closes them after the work. */
async function withCopies(
  count: number,
  work: (copies: readonly Storage[], url: string) => Promise<void>,
): Promise<void> {
  const url = await newDatabase()
  const copies = await Promise.all(Array.from({ length: count }, () => openPostgres(url)))
  try {
    await work(copies, url)
  } finally {
    for (const copy of copies) await copy.close()
  }
}

const chains = Array.from({ length: 20 }, (_, i) => digestOf(`chain ${i}`))

test("openPostgres() makes the tables once when many copies start at once", { skip }, async () => {
  await withCopies(8, async (copies, url) => {
    for (const copy of copies) await copy.assertWritable()
    assert.deepEqual(await query(url, "SELECT version FROM kez_sig.schema_version"), [
      { version: newestPostgresVersion },
    ])
  })
})

test("openPostgres() brings heads of version 1 into an order, and keeps them", { skip }, async () => {
  const url = await newDatabase()
  const client = new Client(url)
  await client.connect()
  await migrate(client, postgresMigrations.slice(0, 1))
  const head = { chain: "sha256:00", signer: "ed25519:01", digest: "sha256:01", expiresAt: 2_000, text: "{}" }
  for (const seq of [1, 2])
    await client.query("SELECT kez_sig.save_head($1, 1000, 4)", [JSON.stringify({ ...head, seq })])
  await client.end()
  const storage = await openPostgres(url)
  await storage.saveHead({ ...head, seq: 3 }, 1_000)
  const listed = (await storage.headsAfter(0, 10, 1_000)).map(({ cursor, seq }) => [cursor, seq])
  await storage.close()
  assert.deepEqual(listed, [
    [1, 1],
    [2, 2],
    [1_000_000, 3],
  ])
})

test("openPostgres() refuses tables of a later version and changes nothing", { skip }, async () => {
  const url = await newDatabase()
  await (await openPostgres(url)).close()
  await query(url, "UPDATE kez_sig.schema_version SET version = 99")
  await assert.rejects(openPostgres(url), { code: "store.newer" })
  assert.deepEqual(await query(url, "SELECT version FROM kez_sig.schema_version"), [{ version: 99 }])
})

test("openPostgres() writes durably whatever the database is set to", { skip }, async () => {
  const url = await newDatabase()
  await query(url, "ALTER ROLE kez SET synchronous_commit = off")
  try {
    const storage = await openPostgres(url)
    await query(url, "CREATE TABLE seen (value text)")
    await query(
      url,
      `CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO seen VALUES (current_setting('synchronous_commit') || ' ' || current_setting('application_name')); RETURN NEW; END $$;
       CREATE TRIGGER note BEFORE INSERT ON kez_sig.events FOR EACH ROW EXECUTE FUNCTION note()`,
    )
    await storage.append(eventNamed("first"), 0)
    await storage.close()
    assert.deepEqual(await query(url, "SELECT value FROM seen"), [{ value: "on kez-sig-server" }])
  } finally {
    await query(url, "ALTER ROLE kez RESET synchronous_commit")
  }
})

test("openPostgres() says store.write for an unknown database and a wrong encoding, store.busy when nobody answers", {
  skip,
}, async () => {
  const url = await newDatabase()
  await assert.rejects(openPostgres(`${url}_missing`), { code: "store.write" })
  await query(url, "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0")
  await assert.rejects(openPostgres(url.replace(/[^/]*$/, "latin")), { code: "store.write" })
  await assert.rejects(openPostgres("postgres://kez:hush@127.0.0.1:1/kez"), (error: Error & { code?: string }) => {
    assert.equal(error.code, "store.busy")
    assert.doesNotMatch(error.message, /hush/)
    return true
  })
})

test("G8 append() of several copies to one chain has one winner for each place", { skip }, async () => {
  await withCopies(4, async (copies) => {
    const [chain = ""] = chains
    const won: number[] = []
    const worker = async (copy: Storage, name: number): Promise<void> => {
      while (won.length < 40) {
        const size = await copy.sizeOf(chain)
        const event = eventNamed(`${name} ${size}`, { chain, seq: size })
        if ((await copy.append(event, size)).status === "stored") won.push(size)
      }
    }
    await Promise.all(copies.flatMap((copy, i) => [worker(copy, 2 * i), worker(copy, 2 * i + 1)]))
    assert.deepEqual(
      won.toSorted((a, b) => a - b),
      Array.from({ length: won.length }, (_, i) => i),
    )
    const loaded = await copies[0]?.loadChain(chain)
    assert.deepEqual(
      loaded?.events.map(({ seq }) => seq),
      Array.from({ length: won.length }, (_, i) => i),
    )
    assert.equal((await copies[1]?.counts())?.events, won.length)
  })
})

test("eventsAfter() passes no event that is committed later, while an older transaction still runs", {
  skip,
}, async () => {
  await withCopies(2, async ([one, other], url) => {
    assert.ok(one !== undefined && other !== undefined)
    // A copy that stalls between its insert and its commit.
    const slow = new Client({ connectionString: url })
    await slow.connect()
    const first = { ...eventNamed("slow", { chain: chains[1] ?? "" }), expectedSize: 0 }
    await slow.query("BEGIN")
    await slow.query("SELECT kez_sig.append_events('slow', $1)", [JSON.stringify([first])])
    const second = one.append(eventNamed("fast", { chain: chains[2] ?? "" }), 0)
    // The later one must not be seen, least of all with a cursor after which the first one would be missed.
    assert.equal(await Promise.race([second, other.eventsAfter(0, 10).then((rows) => rows.length)]), 0)
    await slow.query("COMMIT")
    await slow.end()
    await second
    const rows = await other.eventsAfter(0, 10)
    assert.deepEqual(
      rows.map(({ text }) => text),
      [eventNamed("slow").text, eventNamed("fast").text],
    )
  })
})

test("eventsAfter() gives a reader that follows every event, with 3 copies writing", { skip }, async () => {
  await withCopies(4, async ([reader, ...writers]) => {
    assert.ok(reader !== undefined)
    let writing = true
    const work = Promise.all(
      writers.map(async (writer, w) => {
        for (let i = 0; i < 100; i++) {
          const chain = digestOf(`${w} ${i}`)
          await Promise.all(
            [0, 1, 2].map((n) => writer.append(eventNamed(`${w} ${i} ${n}`, { chain: digestOf(`${chain}${n}`) }), 0)),
          )
        }
      }),
    ).then(() => {
      writing = false
    })
    const seen = new Set<string>()
    let cursor = 0
    for (
      let page = await reader.eventsAfter(0, 7);
      writing || page.length > 0;
      page = await reader.eventsAfter(cursor, 7)
    ) {
      for (const event of page) seen.add(event.digest)
      cursor = page.at(-1)?.cursor ?? cursor
    }
    await work
    for (const event of await reader.eventsAfter(cursor, 1_000)) seen.add(event.digest)
    assert.equal(seen.size, 900)
  })
})

test("D-6 the server crashes: acknowledged events are there, the copies go on by themselves and hear what they missed", {
  skip,
}, async () => {
  await withCopies(2, async ([one, other]) => {
    assert.ok(one !== undefined && other !== undefined && server !== undefined)
    const heard = new Set<string>()
    other.onForeignAppend?.((chain) => heard.add(chain))
    await until(async () => {
      await one.append(eventNamed(`poke ${Math.random()}`, { chain: digestOf(String(Math.random())) }), 0)
      return heard.size > 0
    })
    const acknowledged: string[] = []
    for (const chain of chains.slice(0, 10)) {
      if ((await one.append(eventNamed(chain, { chain }), 0)).status === "stored") acknowledged.push(chain)
    }
    await server.crash()
    await assert.rejects(one.sizeOf(chains[0] ?? ""), { code: "store.busy" })
    await assert.rejects(one.append(eventNamed("away"), 0), { code: "store.busy" })
    await assert.rejects(one.assertWritable(), { code: "store.busy" })
    await server.start()
    for (const chain of chains.slice(10)) await one.append(eventNamed(chain, { chain }), 0)
    for (const chain of acknowledged) assert.equal(await other.sizeOf(chain), 1)
    await until(async () => chains.every((chain) => heard.has(chain)))
  })
})

test("D-3 the disk is full: store.full, reads go on, and so do writes when there is room again", {
  skip: skip || noSmallDisk(),
}, async () => {
  const disk = mkdtempSync(join(tmpdir(), "kez-small-"))
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=20m", "tmpfs", disk])
  try {
    const [tables, filler] = [join(disk, "tables"), join(disk, "filler")]
    mkdirSync(tables)
    // The way to the tables, for another user.
    chmodSync(disk, 0o755)
    const url = (await server?.createDatabase(tables)) ?? ""
    writeFileSync(filler, "x".repeat(8_000_000))
    const storage = await openPostgres(url)
    const stored: string[] = []
    const write = async (name: string): Promise<void> => {
      const chain = digestOf(name)
      await storage.append(eventNamed(name, { chain, text: `${name} ${randomBytes(1_900).toString("hex")}` }), 0)
      stored.push(chain)
    }
    const fill = async (): Promise<void> => {
      for (let i = 0; i < 20_000; i++) await write(`event ${i}`)
    }
    await assert.rejects(fill, { code: "store.full" })
    assert.ok(stored.length > 0)
    for (const chain of stored) assert.equal(await storage.sizeOf(chain), 1)
    assert.equal((await storage.counts()).events, stored.length)
    rmSync(filler)
    await write("room again")
    assert.equal((await storage.eventsAfter(stored.length - 1, 10)).length, 1)
    await storage.close()
    await query(url.replace(/[^/]*$/, "postgres"), `DROP DATABASE ${url.split("/").at(-1)}`)
  } finally {
    execFileSync("umount", ["-l", disk])
    rmSync(disk, { recursive: true, force: true })
  }
})

test("append() of one copy is heard by the others, not by itself", { skip }, async () => {
  await withCopies(2, async ([one, other]) => {
    assert.ok(one !== undefined && other !== undefined)
    const heard: string[] = []
    const own: string[] = []
    other.onForeignAppend?.((chain) => heard.push(chain))
    one.onForeignAppend?.((chain) => own.push(chain))
    await until(async () => {
      await one.append(eventNamed(`poke ${Math.random()}`, { chain: digestOf(String(Math.random())) }), 0)
      return heard.length > 0
    })
    const [chain = ""] = chains
    await one.append(eventNamed("first", { chain }), 0)
    await until(async () => heard.includes(chain))
    assert.deepEqual(own, [])
  })
})

async function until(done: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 15_000
  while (!(await done())) {
    assert.ok(performance.now() < deadline, "expected it within 15 s")
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

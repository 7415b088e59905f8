/** `kez send` and `kez receive` through a relay alone: a real iroh-relay, and no address of either computer is told (F13). */
import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { createInterface } from "node:readline"
import { after, before, describe, test } from "node:test"
import { skipWithoutNats } from "../support/broker.ts"
import { type Chatter, startCouple } from "../support/chat-people.ts"
import { buildIroh, folderOf } from "../support/files-people.ts"
import { skipWithoutIroh, testProgram } from "../support/iroh.ts"
import { type Cleaner, laterCleaner } from "../support/person.ts"

const timeoutMs = 50_000

/** What was said to kez-iroh and by it, in two files. */
interface Recorded {
  readonly env: { readonly KEZ_IROH: string }
  said(way: "in" | "out"): readonly Readonly<Record<string, ReturnType<typeof JSON.parse>>>[]
}

describe("files through a relay alone", { skip: skipWithoutNats || skipWithoutIroh() }, () => {
  const t = laterCleaner(after)
  let alice: Chatter
  let bob: Chatter
  let url: string | undefined
  let program = ""
  before(async () => {
    program = (await buildIroh()).KEZ_IROH
    url = await startRelay(t, join(dirname(program), "kez-test-relay"))
    ;({ alice, bob } = await startCouple(t))
  })

  function recorded(person: Chatter): Recorded {
    const [from, to] = [join(person.dir, "in.jsonl"), join(person.dir, "out.jsonl")]
    const script = `#!/bin/sh\n[ "$1" != --version ] || exec '${program}' --version\ntee -a '${from}' | '${program}' | tee -a '${to}'\n`
    const path = join(person.dir, "recording-iroh")
    writeFileSync(path, script, { mode: 0o755 })
    const read = (file: string) =>
      readFileSync(file, "utf8")
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line))
    return { env: { KEZ_IROH: path }, said: (way) => read(way === "in" ? from : to) }
  }

  test("F13: a file goes through the relay, nobody is told an address, and who sees what is said once", async (test) => {
    if (testProgram(test, program, "kez-test-relay") === undefined || url === undefined) return
    const path = join(folderOf(alice, "out"), "photo.jpg")
    const bytes = randomBytes(2_000_000)
    writeFileSync(path, bytes)
    const into = folderOf(bob, "in")
    const [ofAlice, ofBob] = [recorded(alice), recorded(bob)]
    // One by flags, the other by settings.
    const config = join(bob.home, "config.toml")
    writeFileSync(config, `file_relays = ["${url}"]\nfile_direct = false\n${readFileSync(config, "utf8")}`)
    const flags = ["--relay", url, "--relay-only", "--wait", "40"]
    const sending = alice.kez(["send", path, "bob", ...flags], { env: ofAlice.env, timeoutMs })
    const received = await bob.kez(["receive", "alice", "--dir", into, "--yes", "--wait", "40"], {
      env: ofBob.env,
      timeoutMs,
    })
    const sent = await sending
    assert.deepEqual([received.code, sent.code], [0, 0], received.stderr + sent.stderr)
    assert.deepEqual(readFileSync(join(into, "photo.jpg")), bytes)
    assert.match(received.stderr, /alice@localhost is connected, via a relay/)
    assert.doesNotMatch(received.stderr, /no way leads/)
    for (const { stderr } of [sent, received]) {
      assert.match(stderr, /^kez: relay only: nobody but the relay is told an address of this computer$/m)
      assert.match(stderr, /^kez: the relay http:\/\/127\.0\.0\.1:\d+ sees the addresses of both computers/m)
    }
    for (const one of [ofAlice, ofBob]) {
      const start = one.said("in").find((line) => line["do"] === "start")
      assert.deepEqual([start?.["relay"], start?.["direct"], start?.["discovery"]], [[url], false, "none"])
      for (const line of one.said("out")) assert.deepEqual(line["addresses"] ?? line["ok"]?.addresses ?? [], [], "F13")
    }
    const providers = ofBob.said("in").flatMap((line) => line["providers"] ?? [])
    assert.ok(providers.length > 0)
    for (const { addresses, relay } of providers)
      assert.deepEqual([addresses, new URL(relay).href], [[], new URL(url).href], "F13")
    const again = await bob.kez(["receive", "alice", "--dir", into, "--yes", "--wait", "1"], {
      env: ofBob.env,
      timeoutMs,
    })
    assert.doesNotMatch(again.stderr, /sees the addresses|relay only/)
  })

  test("a sender without a relay in common is said to be out of reach, and told no address", async (test) => {
    if (testProgram(test, program, "kez-test-relay") === undefined) return
    const path = alice.file("other.txt", "other")
    const env = { KEZ_IROH: program }
    const sending = alice.kez(["send", path, "bob", "--wait", "8"], { env, timeoutMs })
    const received = await bob.kez(["receive", "alice", "--dir", folderOf(bob, "in"), "--yes", "--wait", "8"], {
      env,
      timeoutMs,
    })
    await sending
    assert.match(received.stderr, /alice@localhost is there, and no way leads to alice@localhost/)
    assert.equal(existsSync(join(bob.dir, "in/other.txt")), false)
  })

  test("ways that do not go together are refused before anything is offered", async () => {
    const path = alice.file("third.txt", "third")
    for (const flags of [["--relay-only"], ["--relay", "http://relay.example.org"], ["--lan"], ["--relay", "host"]]) {
      const { code, error } = await alice.json(["send", path, "bob", ...flags], { env: { KEZ_IROH: program } })
      assert.deepEqual([code, error?.code], [2, "usage"], flags.join(" "))
    }
    for (const command of [["receive"], ["files", "serve"], ["files", "browse", "bob"]]) {
      const { code, error } = await alice.json([...command, "--relay-only"], { env: { KEZ_IROH: program } })
      assert.deepEqual([code, error?.code], [2, "usage"], command.join(" "))
    }
  })
})

/** Undefined where it is not there. */
async function startRelay(t: Cleaner, path: string): Promise<string | undefined> {
  if (!existsSync(path)) return undefined
  const child = spawn(path, [], { stdio: ["pipe", "pipe", "inherit"] })
  t.after(() => void child.kill("SIGKILL"))
  for await (const line of createInterface({ input: child.stdout })) return line.trim()
  throw new Error("the relay ended")
}

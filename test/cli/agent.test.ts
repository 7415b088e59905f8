/** The agent as a process: it signs without a passphrase for a while, and shows its secret to nobody. */
import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { once } from "node:events"
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs"
import { open } from "node:fs/promises"
import { connect, createServer } from "node:net"
import { join } from "node:path"
import { test } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import { aboutWords, type Home, makeHome, readAnswer, zeroIdentity } from "./support/home.ts"

const passphrase = { env: { KEZ_PASSPHRASE: "right" } }
const claim = ["claim", "create", "dns:example.org", "--format", "json"]
const secretHex = "00".repeat(32)
const onLinux = process.platform === "linux" ? false : "needs /proc"

async function unlocked(home: Home, ...args: string[]): Promise<string> {
  await home.make("zero", { passphrase: "right" })
  const result = await home.run(["identity", "unlock", ...args], passphrase)
  assert.equal(result.code, 0, result.stderr)
  return join(home.paths.runtime, "zero.sock")
}

test("identity unlock lets commands sign until identity lock", async () => {
  await using home = makeHome()
  await unlocked(home)
  const signed = await home.run(claim)
  assert.equal(signed.code, 0, signed.stderr)
  assert.match(signed.stdout, new RegExp(zeroIdentity))
  assert.match((await home.run(["identity", "list"])).stdout, /unlocked until \d\d:\d\d/)
  assert.equal((await home.run(["identity", "lock"])).stdout, "Locked: zero.\n")
  const locked = await home.run(claim)
  assert.equal(locked.code, 4)
  assert.match(locked.stderr, /\[key\.locked\]\nhint: Pass --passphrase-file.*\nhint: .*kez identity unlock zero/)
})

test("the agent's socket and its directory are its user's alone", async () => {
  await using home = makeHome()
  const socket = await unlocked(home)
  assert.equal(statSync(socket).mode & 0o777, 0o600)
  assert.equal(statSync(home.paths.runtime).mode & 0o777, 0o700)
})

test("B5 the secret is in no argument and no environment of any process", { skip: onLinux }, async () => {
  await using home = makeHome()
  await unlocked(home)
  const agents = readdirSync("/proc").filter((pid) => tryRead(`/proc/${pid}/cmdline`).includes("agent-process"))
  assert.ok(agents.length > 0)
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    for (const file of ["cmdline", "environ"]) {
      assert.ok(!tryRead(`/proc/${pid}/${file}`).includes(secretHex), `${file} of ${pid}`)
    }
  }
  for (const pid of agents) assert.ok(!tryRead(`/proc/${pid}/environ`).includes("PASSPHRASE"), pid)
})

test("no debugger of Node comes up in the agent, and no dump of its memory", { skip: onLinux }, async () => {
  await using home = makeHome()
  await unlocked(home)
  const [pid = ""] = agentsOf(home)
  process.kill(Number(pid), "SIGUSR1")
  await sleep(500)
  assert.equal((await home.run(claim)).code, 0, "it signs still")
  const sockets = tryReadDir(`/proc/${pid}/fd`).map((fd) => tryReadLink(`/proc/${pid}/fd/${fd}`))
  const inodes = sockets.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? [])
  const tcp = ["tcp", "tcp6"].flatMap((name) => tryRead(`/proc/${pid}/net/${name}`).split("\n").slice(1))
  const own = tcp.filter((line) => inodes.includes(line.trim().split(/\s+/)[9] ?? ""))
  assert.deepEqual(own, [])
  assert.match(tryRead(`/proc/${pid}/limits`), /^Max core file size +0 +0 /m)
})

/** The agents of identities here: their arguments name their socket. */
function agentsOf({ paths }: Home): readonly string[] {
  return readdirSync("/proc").filter((pid) => tryRead(`/proc/${pid}/cmdline`).includes(`${paths.runtime}/`))
}

function tryReadDir(path: string): readonly string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

function tryReadLink(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ""
  }
}

function tryRead(path: string): string {
  try {
    return readFileSync(path, "latin1")
  } catch {
    return "" // a process that has ended, or another user's
  }
}

test("the agent ends at its time", async () => {
  await using home = makeHome()
  await unlocked(home, "--for", "3s")
  assert.equal((await home.run(claim)).code, 0)
  await sleep(3_200)
  assert.equal((await home.run(["identity", "lock"])).stdout, "Nothing was unlocked.\n")
  assert.deepEqual(readdirSync(home.paths.runtime), [])
})

test("an agent that was killed leaves no broken state", async () => {
  await using home = makeHome()
  await unlocked(home)
  await home.run(["identity", "lock"])
  writeFileSync(join(home.paths.runtime, "zero.sock"), "")
  assert.equal((await home.run(["identity", "list"])).code, 0)
  assert.equal((await home.run(["identity", "unlock"], passphrase)).code, 0)
  assert.equal((await home.run(claim)).code, 0)
})

test("the agent refuses bytes that are no statement, and survives nonsense", async () => {
  await using home = makeHome()
  const socket = await unlocked(home)
  const hash = Buffer.alloc(32, 1).toString("base64")
  assert.deepEqual(JSON.parse(await say(socket, `{"ask":"sign","bytes":"${hash}"}\n`)), {
    error: "not a KEZ statement of this key",
  })
  for (const nonsense of ["\n", "{\n", "x".repeat(200_000), "\x00\xff\n", '{"ask":"sign"}\n'])
    await say(socket, nonsense)
  assert.equal((await home.run(claim)).code, 0)
})

test("an identity that is removed while its passphrase is typed keeps no agent", async () => {
  await using home = makeHome()
  await home.make("zero", { passphrase: "right" })
  const fifo = join(home.dir, "passphrase")
  execFileSync("mkfifo", [fifo])
  const unlocking = home.run(["identity", "unlock", "--passphrase-file", fifo, "--json"])
  // It opens when the command reads it, which has read the key file by then.
  const typing = await open(fifo, "w")
  assert.equal((await home.run(["identity", "remove", "zero", "--yes"])).code, 0)
  await typing.write("right\n")
  await typing.close()
  const result = await unlocking
  assert.deepEqual([result.code, readAnswer(result).error.code], [1, "store.unknown"])
  assert.deepEqual(readdirSync(home.paths.runtime), [])
})

test("connections that send a byte now and then do not hold the agent up", async () => {
  await using home = makeHome()
  const socket = await unlocked(home)
  const slow = Array.from({ length: 16 }, () => connect(socket).on("error", () => {}))
  const dripping = setInterval(() => {
    for (const connection of slow) if (connection.writable) connection.write(" ")
  }, 300)
  try {
    await sleep(3_000)
    assert.match(await say(socket, '{"ask":"status"}\n'), /"until"/)
  } finally {
    clearInterval(dripping)
    for (const connection of slow) connection.destroy()
  }
})

test("a question that came while the computer slept is answered", { skip: onLinux }, async () => {
  await using home = makeHome()
  const socket = await unlocked(home)
  const [pid = ""] = agentsOf(home)
  const connection = connect(socket).setEncoding("utf8")
  await once(connection, "connect")
  await sleep(300) // the agent's clock for it runs
  process.kill(Number(pid), "SIGSTOP")
  connection.end('{"ask":"status"}\n')
  await sleep(2_500)
  process.kill(Number(pid), "SIGCONT")
  const answered: string[] = []
  for await (const part of connection) answered.push(String(part))
  assert.match(answered.join(""), /"until"/)
})

test("what gives another key a say needs the passphrase while the key is unlocked", async () => {
  await using home = makeHome()
  await unlocked(home)
  await home.make("phone", { words: aboutWords })
  const added = await home.run(["sigchain", "add", "dns:example.org"])
  assert.equal(added.code, 0, added.stderr)
  const addDevice = ["--identity", "zero", "sigchain", "add-device", "phone"]
  const refused = await home.run(addDevice)
  assert.equal(refused.code, 4)
  assert.match(refused.stderr, /Cannot sign this as zero: .*\[key\.locked\]\nhint: Pass --passphrase-file/)
  const done = await home.run(addDevice, passphrase)
  assert.equal(done.code, 0, done.stderr)
  assert.match(done.stdout, /add_device/)
})

function say(socket: string, text: string): Promise<string> {
  return new Promise((resolve) => {
    const connection = connect(socket, () => connection.end(text))
    let heard = ""
    connection.on("data", (part) => {
      heard += part
    })
    connection.on("error", () => resolve(heard))
    connection.on("close", () => resolve(heard))
  })
}

test("a runtime directory that others can write to is not trusted", async () => {
  await using home = makeHome()
  await unlocked(home)
  chmodSync(home.paths.runtime, 0o777)
  assert.equal((await home.run(claim)).code, 4)
  const result = await home.run(["identity", "unlock"], passphrase)
  assert.match(result.stderr, /\[store\.permissions\]\nhint: chmod 700/)
  const locked = await home.run(["identity", "lock"])
  assert.equal(locked.code, 1)
  assert.match(locked.stderr, /\[store\.permissions\]/, "an agent may be behind it")
  assert.equal((await home.run(["identity", "list"])).code, 0)
  chmodSync(home.paths.runtime, 0o700)
  assert.equal((await home.run(["identity", "lock"])).stdout, "Locked: zero.\n")
})

test("an agent ends when its socket is gone, or another file is in its place", async () => {
  await using home = makeHome()
  const socket = await unlocked(home)
  for (const other of [undefined, ""]) {
    const old = join(home.dir, "old.sock")
    assert.ok(await isListening(socket))
    // It was not removed: nothing of the file itself tells the agent.
    renameSync(socket, old)
    if (other !== undefined) writeFileSync(socket, other)
    const ms = await msUntilEnd(old)
    assert.ok(ms < 4_000, `${ms} ms`)
    assert.equal(existsSync(socket), other !== undefined, "it leaves what is not its own")
    assert.equal((await home.run(["identity", "unlock"], passphrase)).code, 0)
  }
})

/** How long an agent listens still. */
async function msUntilEnd(socket: string): Promise<number> {
  const start = Date.now()
  while (await isListening(socket)) await sleep(50)
  return Date.now() - start
}

function isListening(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(socket, () => resolve(true))
    connection.on("error", () => resolve(false))
    connection.on("connect", () => connection.destroy())
  })
}

test("a silent agent keeps no other one unlocked", async () => {
  await using home = makeHome()
  await unlocked(home)
  await home.make("quiet", { words: aboutWords, passphrase: "right" })
  const socket = join(home.paths.runtime, "quiet.sock")
  const silent = createServer(() => {})
  await once(silent.listen(socket), "listening")
  try {
    const listed = await home.run(["identity", "list"])
    assert.equal(listed.code, 0, listed.stderr)
    assert.match(listed.stdout, /zero.*unlocked until/)
    const locked = await home.run(["identity", "lock", "--json"])
    assert.equal(readAnswer(locked).error.code, "store.busy")
    assert.match(readAnswer(locked).error.message, /Cannot lock quiet: its agent does not answer/)
    assert.match(
      readAnswer(locked).error.hint ?? "",
      /the process whose arguments name .*quiet\.sock\.\nThese were locked: zero\./,
    )
    assert.ok(existsSync(socket), "whoever ends it has to find it")
    assert.equal((await home.run(claim)).code, 4)
  } finally {
    silent.close()
  }
})

test("identity unlock refuses a time beyond a day", async () => {
  await using home = makeHome()
  await home.make("zero", { passphrase: "right" })
  const result = await home.run(["identity", "unlock", "--for", "30d", "--json"], passphrase)
  assert.equal(readAnswer(result).error.code, "usage")
})

/** kez and a person at a terminal: words, recall, passphrases that leave no trace, Ctrl-C. */
import assert from "node:assert/strict"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { skipWithout } from "../support/servers.ts"
import { type Home, makeHome, readAnswer, zeroIdentity, zeroWords } from "./support/home.ts"
import { alternate, currentScreen, mainScreen, openSession, plain, type Session } from "./support/pty.ts"

const skip = process.platform === "linux" ? skipWithout("script") : "needs script(1) of util-linux"
const open = (home: Home, args: readonly string[], env: Record<string, string> = {}, redirect = ""): Session =>
  openSession(args, { env: { HOME: home.dir, KEZ_HOME: home.paths.data, ...env }, redirect })

async function backupOf(home: Home, name: string): Promise<unknown> {
  return readAnswer(await home.run(["identity", "show", name, "--json"])).data["backup"]
}

/** The numbered words that are on the screen. */
async function readWords(session: Session, count = 24): Promise<readonly string[]> {
  const [text] = await session.expect(/Write these[\s\S]*Press Enter when they are on paper/)
  const words: string[] = []
  for (const [, number, word] of plain(text).matchAll(/\b(\d+)\.? ([a-z]+)/g)) {
    if (Number(number) >= 1 && word !== "words") words[Number(number) - 1] = word ?? ""
  }
  assert.equal(words.length, count)
  return words
}

/** Of no list of BIP-39 words: any word of a list is the right answer now and then. */
const noWord = "mistaken"

async function answerRecall(session: Session, words: readonly string[], wrong?: number): Promise<void> {
  for (let i = 0; i < 4; i++) {
    const [, number] = await session.expect(/Word (\d+) \(\d of 4\): /)
    session.enter(i === wrong ? noWord : (words[Number(number) - 1] ?? ""))
    if (i === wrong) return
  }
}

test("identity new from the name to the checked paper", { skip }, async () => {
  await using home = makeHome()
  using session = open(home, ["identity", "new"])
  await session.expect(/Name for this identity on this computer \[[a-z0-9_-]+\]: /)
  session.enter("jason")
  await session.expect(/Number \[1\]: /)
  session.enter("2")
  await session.expect(/Passphrase: /)
  session.enter("open sesame 1")
  await session.expect(/again: /)
  session.enter("something else")
  await session.expect(/The two were different\.[\s\S]*Passphrase: /)
  session.enter("open sesame 1")
  await session.expect(/again: /)
  session.enter("open sesame 1")
  const words = await readWords(session)
  session.enter("")
  await session.expect(/Check now[\s\S]*Number \[1\]: /)
  session.enter("1")
  await answerRecall(session, words)
  await session.expect(/✓ jason/)
  assert.equal(await session.end(), 0)
  assert.equal(await backupOf(home, "jason"), "confirmed")
  assert.doesNotMatch(session.screen, /sesame|something else/)
  const left = mainScreen(session.screen)
  assert.ok(!words.some((word) => word.length > 5 && left.includes(` ${word}`)), left)
})

test("B3 a wrong word is refused, a second shows the words again, later leaves it pending", { skip }, async () => {
  await using home = makeHome()
  using session = open(home, ["identity", "new", "x", "--no-passphrase", "--mnemonic-words", "12"])
  const words = await readWords(session, 12)
  session.enter("")
  await session.expect(/Number \[1\]: /)
  session.enter("")
  await answerRecall(session, words, 2)
  await session.expect(/does not match\. Look at your paper[\s\S]*\(1 of 4\): /)
  assert.match(
    currentScreen(session.screen),
    /^Word \d+ does not match\. Look at your paper[\s\S]*Word \d+ \(1 of 4\): $/,
  )
  session.enter(noWord)
  assert.deepEqual(await readWords(session, 12), words)
  assert.match(currentScreen(session.screen), /^That does not match either\. Here are the words again/)
  session.enter("")
  await session.expect(/2\. later[\s\S]*Number \[1\]: /)
  session.enter("2")
  await session.expect(/✓ x/)
  assert.equal(await session.end(), 0)
  assert.equal(await backupOf(home, "x"), "pending")
})

test("identity mnemonic confirms the backup later", { skip }, async () => {
  await using home = makeHome()
  await home.make("zero", { passphrase: "right", backup: "pending" })
  using session = open(home, ["identity", "mnemonic"])
  await session.expect(/Passphrase of zero: /)
  session.enter("right")
  assert.deepEqual(await readWords(session), zeroWords.split(" "))
  session.enter("")
  await session.expect(/Number \[1\]: /)
  session.enter("1")
  await answerRecall(session, zeroWords.split(" "))
  await session.expect(/zero: 24, paper checked/)
  assert.equal(await session.end(), 0)
  assert.equal(await backupOf(home, "zero"), "confirmed")
})

test("B5 words and suggestions reach the terminal alone, not redirected stderr, and words leave the screen", {
  skip,
}, async () => {
  await using home = makeHome()
  const log = join(home.dir, "log")
  using session = open(home, ["identity", "new", "x"], {}, `2>'${log}'`)
  const [, suggestion = ""] = await session.expect(/this one: ([a-z-]+)/)
  await session.expect(/Number \[1\]: /)
  session.enter("1")
  await session.expect(/Type it once/)
  session.enter(suggestion)
  const words = await readWords(session)
  session.enter("")
  await session.expect(/Number \[1\]: /)
  session.enter("2")
  assert.equal(await session.end(), 0)
  const logged = readFileSync(log, "utf8")
  assert.ok(logged.includes("warning"))
  assert.ok(!logged.includes(suggestion))
  assert.ok(!logged.includes(words.slice(0, 2).join(" ")))
  for (const file of readdirSync(home.dir, { recursive: true, encoding: "utf8" })) {
    const text = file.endsWith(".sock") ? "" : tryRead(join(home.dir, file))
    for (const secret of [suggestion, words.join(" ")]) assert.ok(!text.includes(secret), file)
  }
  const opened = await home.run(["identity", "mnemonic", "--reveal-words", "--json"], {
    env: { KEZ_PASSPHRASE: suggestion },
  })
  assert.deepEqual(readAnswer(opened).data["recovery_words"], words)
})

function tryRead(path: string): string {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return "" // a directory
  }
}

test("identity restore takes the words over several lines and hides them afterwards", { skip }, async () => {
  await using home = makeHome()
  using session = open(home, ["identity", "restore", "zero"])
  await session.expect(/An empty line ends them[\s\S]*1> /)
  session.enter("abandon abandon")
  await session.expect(/3> /)
  session.enter("")
  await session.expect(/expected 12 or 24 words/)
  await session.expect(/1> /)
  session.enter(zeroWords.split(" ").slice(0, 20).join(" "))
  await session.expect(/21> /)
  session.enter(zeroWords.split(" ").slice(20).join(" "))
  await session.expect(/Number \[1\]: /)
  session.enter("3")
  await session.expect(/Type "store unencrypted"/)
  session.enter("store unencrypted")
  await session.expect(new RegExp(zeroIdentity))
  assert.equal(await session.end(), 0)
  assert.doesNotMatch(mainScreen(session.screen), /abandon/)
})

test("no passphrase needs its words typed out", { skip }, async () => {
  await using home = makeHome()
  using session = open(home, ["identity", "new", "x"])
  await session.expect(/Number \[1\]: /)
  session.enter("3")
  await session.expect(/Type "store unencrypted"/)
  session.enter("yes")
  assert.equal(await session.end(), 3)
  assert.match(session.screen, /\[input\.cancelled\]/)
  assert.deepEqual(readAnswer(await home.run(["identity", "list", "--json"])).data["identities"], [])
})

test("three wrong passphrases end with the ways out and 4", { skip }, async () => {
  await using home = makeHome()
  await home.make("zero", { passphrase: "right" })
  using session = open(home, ["identity", "unlock"])
  for (let i = 0; i < 3; i++) {
    await session.expect(/Passphrase of zero: /)
    session.enter(`guess number ${i}`)
    if (i < 2) await session.expect(i === 0 ? /2 tries are left/ : /One try is left/)
  }
  assert.equal(await session.end(), 4)
  assert.match(session.screen, /hint: Forgotten\?.*identity restore zero[\s\S]*hint: .*identity remove zero/)
  assert.doesNotMatch(session.screen, /guess/)
})

for (const [name, key, code] of [
  ["Ctrl-C", "\x03", 130],
  ["Ctrl-D", "\x04", 3],
] as const) {
  test(`${name} ends a hidden question with ${code}`, { skip }, async () => {
    await using home = makeHome()
    await home.make("zero", { passphrase: "right" })
    using session = open(home, ["identity", "unlock"])
    await session.expect(/Passphrase of zero: /)
    session.type(key)
    assert.equal(await session.end(), code)
    assert.match(session.screen, /\[input\.cancelled\]/)
  })
}

test("Ctrl-C at the words keeps the identity, says so, and clears the screen", { skip }, async () => {
  await using home = makeHome()
  using session = open(home, ["identity", "new", "x", "--no-passphrase"])
  const words = await readWords(session)
  session.type("\x03")
  assert.equal(await session.end(), 130)
  assert.match(mainScreen(session.screen), /The identity x was made.*identity mnemonic x/)
  assert.ok(!mainScreen(session.screen).includes(words.slice(0, 2).join(" ")))
  assert.equal(await backupOf(home, "x"), "pending")
})

test("answers that were typed ahead are not lost", { skip }, async () => {
  await using home = makeHome()
  using session = open(home, ["identity", "new", "x"])
  await session.expect(/Number \[1\]: /)
  session.type("2\rsecret one\rsecret one\r")
  await session.expect(/Press Enter when they are on paper/)
  session.type("\r2\r")
  await session.expect(/✓ x/)
  assert.equal(await session.end(), 0)
})

for (const [name, args, env] of [
  ["--no-input", ["--no-input"], {}],
  ["CI", [], { CI: "true" }],
  ["KEZ_NO_INPUT", [], { KEZ_NO_INPUT: "1" }],
] as const) {
  test(`nobody is asked with ${name}, terminal or not`, { skip }, async () => {
    await using home = makeHome()
    using session = open(home, ["identity", "new", ...args], env)
    assert.equal(await session.end(), 2)
    assert.match(session.screen, /\[input\.missing\]/)
  })
}

test("nobody is asked where stdout is a file", { skip }, async () => {
  await using home = makeHome()
  using session = open(home, ["identity", "new"], {}, `>'${join(home.dir, "out")}'`)
  assert.equal(await session.end(), 2)
})

test("ACCESSIBLE=1 shows one word a line; TERM=dumb says that the screen stays", { skip }, async () => {
  await using home = makeHome()
  await home.make("zero", { backup: "pending" })
  using session = open(home, ["identity", "mnemonic"], { ACCESSIBLE: "1", TERM: "dumb" })
  await session.expect(/ 1 abandon\r?\n +2 abandon\r?\n[\s\S]*24 art\r?\n/)
  session.enter("")
  await session.expect(/cannot be cleared[\s\S]*Number \[1\]: /)
  session.enter("2")
  assert.equal(await session.end(), 0)
  assert.ok(!session.screen.includes(alternate.enter))
})

test("identity remove asks and takes an empty answer for no", { skip }, async () => {
  await using home = makeHome()
  await home.make("zero", { backup: "pending" })
  using session = open(home, ["identity", "remove", "zero"])
  await session.expect(/Warning: nobody has checked[\s\S]*Delete the key of zero from this computer\? \[y\/N\] /)
  session.enter("")
  assert.equal(await session.end(), 3)
  assert.equal((await home.run(["identity", "show", "zero"])).code, 0)
})

test("identity new asks again for a bad or taken name, and about a short passphrase", { skip }, async () => {
  await using home = makeHome()
  await home.make("zero")
  using session = open(home, ["identity", "new", "Bad Name"])
  await session.expect(/cannot be a name[\s\S]*computer \[[^\]]+\]: /)
  session.enter("zero")
  await session.expect(/The name zero is taken\.[\s\S]*computer \[[^\]]+\]: /)
  session.enter("one")
  await session.expect(/Ctrl-C leaves\.[\s\S]*Number \[1\]: /)
  session.enter("2")
  await session.expect(/Passphrase: /)
  session.enter("short")
  await session.expect(/Fewer than 8 characters[\s\S]*\[y\/N\] /)
  session.enter("")
  await session.expect(/Passphrase: /)
  session.enter("short")
  await session.expect(/\[y\/N\] /)
  session.enter("y")
  await session.expect(/again: /)
  session.enter("short")
  await session.expect(/Press Enter when they are on paper/)
  session.enter("")
  await session.expect(/Number \[1\]: /)
  session.enter("2")
  await session.expect(/✓ one/)
  assert.equal(await session.end(), 0)
})

test("40 columns break prose between words", { skip }, async () => {
  await using home = makeHome()
  const env = { HOME: home.dir, KEZ_HOME: home.paths.data }
  using session = openSession(["identity", "new", "x", "--no-passphrase"], { env, columns: 40 })
  await session.expect(/leave the screen\./)
  for (const line of currentScreen(session.screen).split(/\r?\n/)) assert.ok(line.trimEnd().length <= 40, line)
  session.type("\x03")
  assert.equal(await session.end(), 130)
})

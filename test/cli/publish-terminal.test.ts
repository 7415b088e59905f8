/** `kez claim publish` and a person at a terminal: the token is asked for, and shown nowhere; Ctrl-C leaves nothing behind. */
import assert from "node:assert/strict"
import { existsSync, writeFileSync } from "node:fs"
import { type TestContext, test } from "node:test"
import { type GithubServer, startGithubServer } from "../support/github-server.ts"
import { skipWithout } from "../support/servers.ts"
import { type Home, makeHome, readAnswer } from "./support/home.ts"
import { openSession, plain, type Session } from "./support/pty.ts"

const skip = process.platform === "linux" ? skipWithout("script") : "needs script(1) of util-linux"
const secret = "ghp_theSecretOfAlice"

async function serve(t: TestContext, home: Home): Promise<GithubServer> {
  const users = [
    { id: 1001, login: "alice" },
    { id: 9919, login: "github" },
  ]
  const server = await startGithubServer({ users, tokens: { [secret]: { user: 1001, scopes: ["gist"] } } })
  t.after(() => server.close())
  const hosts = Object.entries(server.hosts).map(([host, base]) => `"${host}" = "${base}"`)
  writeFileSync(`${home.paths.data}/config.toml`, `resolver = ["127.0.0.1:9"]\n[hosts]\n${hosts.join("\n")}\n`)
  return server
}

const open = (home: Home, ...args: readonly string[]): Session =>
  openSession(args, { env: { HOME: home.dir, KEZ_HOME: home.paths.data } })

test("claim publish says where to get a token, asks for it hidden, and then for the passphrase", {
  skip,
}, async (t) => {
  await using home = makeHome()
  await home.make("me", { passphrase: "open sesame 1" })
  const server = await serve(t, home)
  using session = open(home, "claim", "publish", "github:alice")
  await session.expect(
    /github\.com\/settings\/tokens\/new\?scopes=gist[\s\S]*KEZ does not keep it\.[\s\S]*token of github:alice: /,
  )
  session.enter(secret)
  await session.expect(/Passphrase of me: /)
  session.enter("open sesame 1")
  await session.expect(/✓ github:alice {2}proven/)
  assert.equal(await session.end(), 0)
  assert.equal(server.world.gists.length, 1)
  assert.doesNotMatch(plain(session.screen), /ghp_|sesame/)
  // What is unlocked already is not asked for again.
  using again = open(home, "claim", "unpublish", "github:alice")
  await again.expect(/token of github:alice: /)
  again.enter(secret)
  await again.expect(/shows no proof of yours any more/)
  assert.equal(await again.end(), 0)
})

test("Ctrl-C at the question, and a wrong passphrase, publish nothing and leave no claim", { skip }, async (t) => {
  await using home = makeHome()
  await home.make("me", { passphrase: "open sesame 1" })
  const server = await serve(t, home)
  using session = open(home, "claim", "publish", "github:alice")
  await session.expect(/token of github:alice: /)
  session.type("\u0003")
  assert.equal(await session.end(), 130)
  const pass = home.file("pass", "another one")
  const token = home.file("token", secret)
  const given = ["--credential-file", token, "--passphrase-file", pass]
  const locked = await home.run(["claim", "publish", "github:alice", ...given, "--json"])
  assert.deepEqual([locked.code, readAnswer(locked).error.code], [4, "key.unlock"])
  assert.deepEqual(server.world.gists, [])
  assert.equal(existsSync(home.paths.database), false)
})

/** Publishing to Bluesky and taking back, at a real PDS with an app password. SPEC §7.5. */
import assert from "node:assert/strict"
import { after, before, beforeEach, test } from "node:test"
import {
  bluesky,
  blueskyPublisher,
  createNet,
  type Net,
  type PublishResult,
} from "../../packages/channels/src/index.ts"
import { KezError } from "../../packages/core/src/index.ts"
import { type AtprotoNetwork, pdsHost, type Seen, startAtproto, type TestAccount } from "../support/atproto-pds.ts"
import { skipWithoutPeer } from "../support/servers.ts"

const skip = skipWithoutPeer("atproto")
const reference = `kez:r1:${"ab".repeat(32)}@sig.example.org`
const earlier = `kez:r1:${"cd".repeat(32)}`
const signal = new AbortController().signal
const noDns = {
  resolveTxt: async () => ({ status: "no_name", records: [], server: "none" }) as const,
  resolveAddresses: async () => ({ status: "no_name", addresses: [] }) as const,
}
let network: AtprotoNetwork
let count = 0

before(async () => {
  if (skip === false) network = await startAtproto()
})
after(async () => {
  if (skip === false) await network.stop()
})
beforeEach(() => {
  if (skip === false) network.intercept = undefined
})

function netOf(...handles: readonly string[]): Net {
  return createNet({ resolver: noDns, hosts: network.hostsOf(...handles) })
}

function createAccount(): Promise<TestAccount> {
  count += 1
  return network.createAccount(`writer${count}`)
}

function publish(account: TestAccount, name: string, secret = account.appPassword): Promise<PublishResult> {
  const place = blueskyPublisher.places.find((one) => one.name === name)
  assert.ok(place)
  const request = { value: account.handle, place, makeText: async () => reference, credentials: { secret } }
  return blueskyPublisher.publish(request, netOf(account.handle), signal)
}

function unpublish(account: TestAccount): Promise<PublishResult> {
  const credentials = { secret: account.appPassword }
  const isOurs = (text: string) => text.includes("abab")
  return blueskyPublisher.unpublish({ value: account.handle, credentials, isOurs }, netOf(account.handle), signal)
}

async function collectTexts({ handle }: TestAccount): Promise<readonly string[]> {
  const publication = await bluesky.collect(handle, netOf(handle), { signal })
  return publication.status === "found" ? publication.candidates.map(({ text }) => text) : []
}

async function write(account: TestAccount, collection: string, rkey: string | undefined, value: object) {
  const record = { $type: collection, ...value }
  const method = rkey === undefined ? "com.atproto.repo.createRecord" : "com.atproto.repo.putRecord"
  const key = rkey === undefined ? {} : { rkey }
  await network.call(method, { body: { repo: account.did, collection, record, ...key }, token: account.token })
}

const setProfile = (account: TestAccount, value: object) => write(account, "app.bsky.actor.profile", "self", value)
const addPost = (account: TestAccount, text: string) =>
  write(account, "app.bsky.feed.post", undefined, { text, createdAt: "2026-01-01T00:00:00Z" })

async function readProfile({ did }: TestAccount): Promise<unknown> {
  const query = `repo=${did}&collection=app.bsky.actor.profile&rkey=self`
  return (await network.call(`com.atproto.repo.getRecord?${query}`, {}))["value"]
}

/** Which calls about sessions were made. */
function sessionCalls(since: number): readonly string[] {
  const calls = network.seen.slice(since).map(({ path }) => /com\.atproto\.server\.(\w+)/.exec(path)?.[1])
  return calls.flatMap((name) => name ?? [])
}

test("publish() appends to the profile, keeps the rest of the record, and closes its session", { skip }, async () => {
  const account = await createAccount()
  const value = {
    displayName: "A writer",
    description: `I write.\n${earlier}`,
    pinnedPost: undefined,
    extra: { a: [1] },
  }
  await setProfile(account, value)
  const since = network.seen.length
  const result = await publish(account, "profile")
  assert.deepEqual(result.outcomes, [{ url: `https://bsky.app/profile/${account.did}`, accepted: true }])
  const { pinnedPost: _, ...rest } = value
  const expected = { $type: "app.bsky.actor.profile", ...rest, description: `I write.\n${reference}` }
  assert.deepEqual(await readProfile(account), expected)
  assert.deepEqual(await collectTexts(account), [expected.description])
  assert.deepEqual(sessionCalls(since), ["createSession", "deleteSession"])
  const closing = network.seen.findLast(({ path }) => path.includes("deleteSession"))
  const token = closing?.authorization?.slice("Bearer ".length) ?? ""
  await assert.rejects(
    network.call("com.atproto.server.refreshSession", { isBare: true, token }),
    /ExpiredToken|revoked/,
  )
  const again = await publish(account, "profile")
  assert.equal(again.outcomes[0]?.note, "it stood there already")
  const back = await unpublish(account)
  assert.equal(back.outcomes.length, 1)
  assert.deepEqual(await readProfile(account), { ...expected, description: "I write." })
  assert.deepEqual(await collectTexts(account), [])
  assert.deepEqual((await unpublish(account)).outcomes, [])
})

test("publish() makes a profile where there is none", { skip }, async () => {
  const account = await createAccount()
  await publish(account, "profile")
  assert.deepEqual(await readProfile(account), { $type: "app.bsky.actor.profile", description: reference })
})

test("publish() posts once, in place of earlier proofs, and unpublish() deletes what holds only ours", {
  skip,
}, async () => {
  const account = await createAccount()
  await addPost(account, earlier)
  await addPost(account, `see ${earlier}`)
  const [outcome] = (await publish(account, "post")).outcomes
  assert.match(outcome?.url ?? "", new RegExp(`^https://bsky.app/profile/${account.did}/post/[a-z2-7]{13}$`))
  assert.deepEqual(await collectTexts(account), [reference, `see ${earlier}`])
  const again = await publish(account, "post")
  assert.deepEqual(again.outcomes, [{ ...outcome, note: "it stood there already" }])
  await addPost(account, `look: ${reference}`)
  const back = await unpublish(account)
  assert.deepEqual(
    back.outcomes.map(({ accepted }) => accepted),
    [false, true],
  )
  assert.deepEqual(await collectTexts(account), [`look: ${reference}`, `see ${earlier}`])
})

test("publish() loses no edit that is made meanwhile, and gives up when they do not end", { skip }, async () => {
  const account = await createAccount()
  await setProfile(account, { description: "first" })
  let edits = 0
  let ends = true
  const edit = async ({ path, method }: Seen) => {
    if (!path.includes("putRecord") || method !== "POST") return
    edits += 1
    if (edits === 1 || !ends) await setProfile(account, { description: `edit ${edits}` })
  }
  network.before = edit
  await publish(account, "profile")
  assert.deepEqual(await readProfile(account), {
    $type: "app.bsky.actor.profile",
    description: `edit 1\n${reference}`,
  })
  await setProfile(account, { description: "again" })
  ends = false
  await assert.rejects(publish(account, "profile"), { code: "publish.refused" })
  network.before = undefined
})

test("publish() refuses a wrong password, one of another account and none, before anything is written", {
  skip,
}, async () => {
  const [account, other] = [await createAccount(), await createAccount()]
  for (const secret of ["abcd-abcd-abcd-abcd", other.appPassword, ""]) {
    await assert.rejects(publish(account, "profile", secret), (error) => {
      assert.ok(error instanceof KezError)
      assert.equal(error.code, "publish.credentials")
      assert.ok(secret === "" || !`${error.message} ${error.hint} ${String(error.stack)}`.includes(secret))
      return true
    })
  }
  await assert.rejects(readProfile(account))
})

test("publish() refuses a session of another account, and closes it", { skip }, async () => {
  const [account, other] = [await createAccount(), await createAccount()]
  const session = { did: other.did, handle: other.handle, accessJwt: "a", refreshJwt: "r", active: true }
  network.intercept = ({ path }) => (path.includes("createSession") ? { status: 200, body: session } : undefined)
  const since = network.seen.length
  await assert.rejects(publish(account, "post"), { code: "publish.credentials" })
  assert.deepEqual(sessionCalls(since), ["createSession", "deleteSession"])
})

test("publish() sends the password to the server in the document alone", { skip }, async () => {
  const account = await createAccount()
  const since = network.seen.length
  await publish(account, "post")
  const told = network.seen.slice(since).filter(({ body }) => body.includes(account.appPassword))
  assert.deepEqual(
    told.map(({ host, path }) => [host, path]),
    [[pdsHost, "/xrpc/com.atproto.server.createSession"]],
  )
  assert.ok(network.seen.every(({ path }) => !path.includes(account.appPassword)))
  const authorized = network.seen.slice(since).filter(({ authorization }) => authorization !== undefined)
  assert.ok(authorized.every(({ host }) => host === pdsHost))
})

test("publish() says what there is room for, and writes nothing too long", { skip }, async () => {
  const account = await createAccount()
  await setProfile(account, { description: "👩‍👩‍👧".repeat(60) + "x".repeat(110) })
  await assert.rejects(publish(account, "profile"), { code: "publish.too_long" })
})

test("publish() closes its session when the server refuses to write", { skip }, async () => {
  const account = await createAccount()
  const since = network.seen.length
  const answer = { error: "InvalidRecord", message: account.appPassword }
  network.intercept = ({ path }) => (path.includes("applyWrites") ? { status: 400, body: answer } : undefined)
  await assert.rejects(publish(account, "post"), (error) => {
    assert.ok(error instanceof KezError && error.code === "publish.refused")
    assert.match(error.message, /InvalidRecord/)
    assert.ok(!error.message.includes(account.appPassword))
    return true
  })
  assert.deepEqual(sessionCalls(since), ["createSession", "deleteSession"])
  network.intercept = ({ path }) => (path.includes("createSession") ? { status: 429, body: {} } : undefined)
  await assert.rejects(publish(account, "post"), { code: "net.rate_limit" })
})

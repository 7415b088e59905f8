/** From a chain and verdicts to the graph: what is in it, in which order, and what must not look proven. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { limits, replayChain } from "@kez/core"
import { buildGraph } from "../src/graph/graph-model.ts"
import { answerFor, answersOf, chainWith, graphOf, owner, placeOf, subjectsOf } from "./support/graphs.ts"
import { add, eventsOf, grow, now, signerOf } from "./support/people.ts"

const subject = "github:mira"
const asked = { kind: "account", identity: subject } as const
const key = { kind: "key", identity: owner.key } as const

test("buildGraph() puts the identity in the middle, every active account around it, and devices after who added them", async () => {
  const chain = await chainWith([subject, "dns:mira.dev"], 4)
  const { centre, accounts, devices } = buildGraph({ asked, replay: chain, answers: [answerFor(subject)], now })
  assert.deepEqual(
    [centre.primary, centre.previous, centre.chain?.id, centre.badge.word],
    [owner.key, [], chain.chain, "one history"],
  )
  assert.deepEqual(
    accounts.map((account) => [account.subject, account.status, account.isListed, account.isAsked, account.badge.word]),
    [
      ["dns:mira.dev", "unchecked", true, false, "not looked at"],
      [subject, "valid", true, true, "proven"],
    ],
  )
  assert.deepEqual(
    devices.map(({ parent, depth }) => [parent, depth]),
    [
      [undefined, 0],
      [undefined, 0],
      [1, 1],
      [undefined, 0],
    ],
  )
})

test("buildGraph() gives the same graph for answers in any order", async () => {
  const subjects = subjectsOf(30)
  const replay = await chainWith(subjects, 3)
  const answers = answersOf(subjects)
  const [one, two] = [answers, answers.toReversed()].map((some) => buildGraph({ asked, replay, answers: some, now }))
  assert.deepEqual(one, two)
})

test("buildGraph() does not show somebody else's good proof as proven", async () => {
  const replay = await chainWith([subject], 0)
  const stranger = signerOf(9).key
  const other = {
    id: `sha256:${"c".repeat(64)}`,
    head: { seq: 0, digest: `sha256:${"d".repeat(64)}` },
    liveUntil: undefined,
    liveBy: [],
  }
  for (const changes of [{ primary: stranger }, { chain: other }, { primary: undefined }]) {
    const { accounts } = buildGraph({ asked: key, replay, answers: [answerFor(subject, changes)], now })
    const [account] = accounts
    assert.deepEqual(
      [account?.isProven, account?.status, account?.reason, account?.badge.tone],
      [false, "invalid", "proof.primary_mismatch", "bad"],
    )
  }
})

test("buildGraph() takes a claim by an earlier key for one of the identity", async () => {
  const before = await chainWith([subject], 0)
  const replay = await grow(before, owner, { op: "rotate", newPrimary: signerOf(2) })
  const { centre, accounts } = buildGraph({ asked: key, replay, answers: [answerFor(subject)], now })
  assert.deepEqual([centre.primary, centre.previous], [signerOf(2).key, [owner.key]])
  assert.equal(accounts[0]?.isProven, true)
})

test("buildGraph() never makes red what nobody could look at", async () => {
  const replay = await chainWith([subject], 0)
  for (const reason of [
    "channel.unsupported",
    "identity.unsupported",
    "net.timeout",
    "net.rate_limit",
    "channel.down",
  ] as const) {
    const { accounts } = buildGraph({
      asked,
      replay,
      answers: [answerFor(subject, { status: "unreachable", reason, primary: undefined })],
      now,
    })
    assert.equal(accounts[0]?.badge.tone, "muted", reason)
  }
})

test("buildGraph() shows an account alone where no proof names a key, and the key where no chain is known", () => {
  const missing = answerFor(subject, { status: "invalid", reason: "proof.not_found", primary: undefined })
  const alone = buildGraph({ asked, replay: undefined, answers: [missing], now })
  assert.deepEqual([alone.centre.primary, alone.centre.badge.word], [undefined, "no identity known"])
  assert.equal(alone.accounts[0]?.isListed, undefined)
  const unchained = buildGraph({
    asked,
    replay: undefined,
    answers: [answerFor(subject, { flags: ["no_chain"] })],
    now,
  })
  assert.deepEqual([unchained.centre.primary, unchained.centre.badge.word], [owner.key, "no chain known"])
  assert.equal(unchained.accounts[0]?.isProven, true)
})

test("buildGraph() leaves revoked accounts out, but shows the one that was asked about", async () => {
  const replay = await grow(
    await chainWith([subject, "dns:mira.dev"], 0),
    owner,
    { op: "revoke", subject },
    { op: "revoke", subject: "dns:mira.dev" },
  )
  const answer = answerFor(subject, { status: "revoked", reason: "claim.revoked" })
  const { accounts } = buildGraph({ asked, replay, answers: [answer], now })
  assert.deepEqual(
    accounts.map((account) => [account.subject, account.isListed, account.badge.word]),
    [[subject, false, "revoked by owner"]],
  )
})

test("buildGraph() marks a fork in the middle, whether the chain or a verdict shows it", async () => {
  const start = await chainWith([subject], 0)
  const [left, right] = [await grow(start, owner, add("github:a")), await grow(start, owner, add("github:b"))]
  const fork = replayChain(eventsOf(left, right), { chain: start.chain })
  assert.equal(buildGraph({ asked: key, replay: fork, answers: [], now }).centre.chain?.status, "fork")
  const answers = [answerFor(subject, { status: "fork", reason: "chain.fork" })]
  const shown = buildGraph({ asked: key, replay: start, answers, now })
  assert.deepEqual([shown.centre.chain?.status, shown.centre.badge.tone], ["fork", "bad"])
})

test("buildGraph() takes the newest confirmation of the end, and only of this end", async () => {
  const replay = await chainWith([subject], 0)
  const live = (digest: string, liveUntil: string) => ({
    chain: { id: replay.chain, head: { seq: 0, digest }, liveUntil, liveBy: [] },
  })
  const answers = [
    answerFor(subject, live(replay.head.digest, "2026-01-05T00:00:00Z")),
    answerFor("dns:a.example", live(`sha256:${"e".repeat(64)}`, "2026-01-07T00:00:00Z")),
  ]
  const { centre } = buildGraph({ asked: key, replay, freshUntil: "2026-01-03T00:00:00Z", answers, now })
  assert.equal(centre.chain?.freshUntil, "2026-01-05T00:00:00Z")
})

test("buildGraph() keeps the look that says most, the permanent number and the last proven time", async () => {
  const replay = await grow(undefined, owner, { op: "add", subject, subject_id: "4217" })
  const evidence = [
    placeOf("https://first.example/", { httpStatus: 200 }),
    { kind: "place", source: "https://second.example/", httpStatus: 404 } as const,
  ]
  const answer = answerFor(
    subject,
    { status: "unreachable", reason: "net.status", evidence, primary: undefined },
    now - 60,
  )
  const [account] = buildGraph({ asked, replay, answers: [answer], now }).accounts
  assert.deepEqual(
    [account?.evidence?.source, account?.permanentId, account?.lastProven],
    ["https://first.example/", "4217", now - 60],
  )
})

test("buildGraph() holds a device whose adder is gone on the identity itself", async () => {
  const [phone, laptop] = [signerOf(5), signerOf(6)]
  let replay = await grow(undefined, owner, add(subject), { op: "add_device", device: phone })
  replay = await grow(replay, phone, { op: "add_device", device: laptop })
  replay = await grow(replay, owner, { op: "revoke_device", keys: [phone.key], keep: [laptop.key] })
  const { devices } = buildGraph({ asked: { kind: "key", identity: laptop.key }, replay, answers: [], now })
  assert.deepEqual(
    devices.map(({ key, addedBy, parent, isAsked }) => [key, addedBy, parent, isAsked]),
    [[laptop.key, phone.key, undefined, true]],
  )
})

test("buildGraph() serves the largest identity that there can be", async () => {
  const { accounts, devices } = await graphOf(limits.maxActiveClaims, limits.maxActiveDevices)
  assert.deepEqual([accounts.length, devices.length], [256, 32])
})

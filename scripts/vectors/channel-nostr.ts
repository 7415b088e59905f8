/** vectors/channel-nostr.json: what relays hold of a key, and what is taken from it. SPEC §7.4. */
import { bech32 } from "@scure/base"
import { absent, type ChannelInput, channelCase, found, unreachable } from "./channel-case.ts"
import { aliceNostr, testSigner } from "./keys.ts"
import { type Event, keyOf, type Members, now, sign } from "./nostr-event.ts"
import type { VectorCase, VectorFile } from "./vector-file.ts"

const value = aliceNostr.key.slice("nostr:".length)
const key = keyOf(aliceNostr.key)
const malloryNostr = testSigner(0x4d, "nostr")
const proof = "kez:z1:KLUv_SAA"

export async function channelNostr(): Promise<VectorFile> {
  const appData = (content: string, more: Partial<Members> = {}) =>
    sign({ kind: 30_078, tags: [["d", "kez"]], content, ...more })
  const profile = (members: unknown, more: Partial<Members> = {}) =>
    sign({ kind: 0, content: typeof members === "string" ? members : JSON.stringify(members), ...more })
  const note = (content: string, more: Partial<Members> = {}) => sign({ content, ...more })
  const deletion = (tags: Members["tags"], more: Partial<Members> = {}) => sign({ kind: 5, tags, ...more })

  const here = await appData(proof)
  const uri = uriOf(here)
  const isHere = found(value, [[proof, uri]])
  const posted = await note(`My proof: ${proof}`, { created_at: now - 50 })
  const early = await note(`Earlier: ${proof}`, { created_at: now - 60 })
  const hinted = await note(`${proof}\nChain: https://a.example/chain`)
  const hintsFrom = (first: number) => [0, 1, 2, 3].map((n) => `Chain: https://a.example/${first + n}`)
  const many = await Promise.all(
    [0, 3, 6, 9, 12, 15].map((first, n) => note([proof, ...hintsFrom(first)].join("\n"), { created_at: now - n })),
  )
  const about = await profile({ name: "Alice", about: `I write.\n\n${proof}` })
  const odd = await appData(`"\\\n\r\t\b\f/\u0001\u007f\u2028é😀 ${proof}`)
  const [one, two] = (await Promise.all([appData(`${proof}A`), appData(`${proof}B`)])).toSorted(byId)
  if (one === undefined || two === undefined) throw new Error("two events are two")
  const cases: readonly VectorCase[] = [
    channelCase("app-data", "kind 30078 named kez", at([here]), isHere),
    channelCase(
      "profile",
      "the about of the profile",
      at([about]),
      found(value, [[`I write.\n\n${proof}`, `nostr:${value}`]]),
    ),
    channelCase("note", "a note", at([posted]), found(value, [[posted.content, uriOf(posted)]])),
    channelCase(
      "all",
      "application data, then the profile, then notes, the newest first",
      at([early, about], [posted, here]),
      found(value, [
        [proof, uri],
        [`I write.\n\n${proof}`, `nostr:${value}`],
        [posted.content, uriOf(posted)],
        [early.content, uriOf(early)],
      ]),
    ),
    channelCase(
      "hint",
      "a hint beside a proof",
      at([hinted]),
      found(value, [[hinted.content, uriOf(hinted)]], ["https://a.example/chain"]),
    ),
    channelCase(
      "hints",
      "of several texts, those of each in their order, each once, and 16 in all",
      at(many),
      found(
        value,
        many.map((event) => [event.content, uriOf(event)]),
        Array.from({ length: 16 }, (_, n) => `https://a.example/${n}`),
      ),
    ),
    channelCase(
      "named-twice",
      "a relay that is named twice is asked once: one of two gave a whole answer",
      { value, relays: [{ url: urlOf(0), events: [] }, ...[1, 1].map((n) => ({ url: urlOf(n), ends: "closed" }))] },
      absent(),
    ),
    channelCase(
      "events-257",
      "more events than are read, whatever they are",
      at(Array.from({ length: 257 }, () => 0)),
      unreachable("limit.body"),
    ),
    channelCase(
      "escapes",
      "what the serialisation escapes, and what not",
      at([odd]),
      found(value, [[odd.content, uri]]),
    ),
    channelCase("once", "two relays with one event are one candidate", at([here], [here]), isHere),
    channelCase(
      "newest",
      "P8 the newest of all relays wins",
      at([await appData("kez:z1:AAAA", { created_at: now - 200 })], [here]),
      isHere,
    ),
    channelCase(
      "same-second",
      "of one second, the one with the lowest id",
      at([two], [one]),
      found(value, [[one.content, uri]]),
    ),
    channelCase(
      "emptied",
      "P8 an older one does not come back",
      at([here], [await appData("", { created_at: now })]),
      absent(),
    ),
    channelCase(
      "profile-emptied",
      "P8 nor does an older profile",
      at([about], [await profile({ name: "Alice" }, { created_at: now })]),
      absent(),
    ),
    channelCase(
      "deleted-by-id",
      "a note that the key deleted",
      at([posted], [await deletion([["e", posted.id]])]),
      absent(),
    ),
    channelCase(
      "deleted-by-address",
      "application data deleted by its address",
      at([here], [await deletion([["a", `30078:${key}:kez`]])]),
      absent(),
    ),
    channelCase(
      "deleted-before",
      "a deletion by address does not reach what came later",
      at([here], [await deletion([["a", `30078:${key}:kez`]], { created_at: here.created_at - 1 })]),
      isHere,
    ),
    channelCase(
      "deleted-by-another",
      "another key deletes nothing here",
      at([posted], [await sign({ kind: 5, tags: [["e", posted.id]] }, malloryNostr)]),
      found(value, [[posted.content, uriOf(posted)]]),
    ),
    ...(await refusals(here)),
    channelCase(
      "300-s-ahead",
      "a clock may be 300 s off",
      at([await appData(proof, { created_at: now + 300 })]),
      isHere,
    ),
    channelCase(
      "about-missing",
      "a profile without about",
      at([await profile({ name: proof })]),
      absent("only about is read"),
    ),
    channelCase("about-not-text", "an about that is no text", at([await profile({ about: [proof] })]), absent()),
    channelCase("profile-not-json", "a profile that is no JSON", at([await profile(proof)]), absent()),
    channelCase(
      "no-proof",
      "ordinary writing",
      at([await note("kez is great"), await profile({ about: "I write." })]),
      absent(),
    ),
    channelCase("nothing", "relays that have nothing", at([], []), absent("was it published to other relays?")),
    channelCase(
      "half-answers",
      "half of the relays are enough for absence",
      closing(1, []),
      absent("1 of 2 relays answered"),
    ),
    channelCase(
      "few-answer",
      "P8 fewer are not: the one that answers may keep something back",
      closing(2, []),
      unreachable("net.refused"),
    ),
    channelCase("one-has-it", "and for a proof", closing(1, [here]), isHere),
    channelCase("none-answers", "no answer is no absence", closing(2), unreachable("net.refused")),
    channelCase("no-relay", "nobody was asked", { value, relays: [] }, unreachable("net.url")),
  ]
  return {
    spec: "§7.4",
    about: `What relays hold of nostr:${value}, at ${now}. They send their events for every question. Texts are candidates: none of these is a right proof.`,
    cases,
  }
}

/** S12 and P8: what a relay may send and nobody may believe. */
async function refusals(here: Event): Promise<readonly VectorCase[]> {
  const other = await sign({ content: "kez", created_at: now - 1 })
  const named = (tags: Members["tags"]) => sign({ kind: 30_078, tags, content: proof })
  const cases: readonly (readonly [id: string, why: string, event: unknown])[] = [
    ["forged-id", "S12 the id is not the digest", { ...here, id: "00".repeat(32) }],
    ["forged-content", "S12 another content under the id", { ...here, content: `${proof}A` }],
    ["forged-time", "P8 another time under the id", { ...here, created_at: now }],
    ["forged-signature", "P8 the signature of another event", { ...here, sig: other.sig }],
    ["upper-case", "hex in upper case", { ...here, id: here.id.toUpperCase() }],
    [
      "other-key",
      "S12 the event of another key",
      await sign({ kind: 30_078, tags: [["d", "kez"]], content: proof }, malloryNostr),
    ],
    [
      "301-s-ahead",
      "P8 the future",
      await sign({ kind: 30_078, tags: [["d", "kez"]], content: proof, created_at: now + 301 }),
    ],
    [
      "other-kind",
      "S12 a kind that was not asked for",
      await sign({ kind: 30_023, tags: [["d", "kez"]], content: proof }),
    ],
    ["other-name", "application data of another name", await named([["d", "notkez"]])],
    ["no-name", "application data without a name", await named([])],
    [
      "two-names",
      "S12 two d tags",
      await named([
        ["d", "kez"],
        ["d", "other"],
      ]),
    ],
    [
      "name-twice",
      "S12 the same d tag twice",
      await named([
        ["d", "kez"],
        ["d", "kez"],
      ]),
    ],
    [
      "too-many-tags",
      "more than 1,000 tags",
      await named([["d", "kez"], ...Array.from({ length: 1_000 }, () => ["t"])]),
    ],
    ["too-long", "more than 65,536 bytes", await sign({ content: `${proof} ${"k".repeat(65_536)}` })],
    ["tag-of-numbers", "a tag that is no list of texts", { ...here, tags: [["d", 1]] }],
    ["no-event", "no event at all", "kez:z1:KLUv_SAA"],
  ]
  return cases.map(([id, why, event]) => channelCase(id, why, at([event]), absent()))
}

/** What each relay sends. */
function at(...relays: readonly (readonly unknown[])[]): ChannelInput {
  return { value, relays: relays.map((events, i) => ({ url: urlOf(i), events })) }
}

/** Relays that close, and one after them that answers, if events are given. */
function closing(count: number, events?: readonly unknown[]): ChannelInput {
  const closed = Array.from({ length: count }, (_, i) => ({ url: urlOf(i), ends: "closed" }))
  return { value, relays: events === undefined ? closed : [...closed, { url: urlOf(count), events }] }
}

function urlOf(i: number): string {
  return `wss://relay${i + 1}.example`
}

function byId(a: Event, b: Event): number {
  return a.id < b.id ? -1 : 1
}

/** NIP-19, NIP-21. */
function uriOf({ id, kind, pubkey }: Event): string {
  const address = ["00036b657a", "0220", pubkey, "0304", kind.toString(16).padStart(8, "0")].join("")
  const [prefix, hex] = kind === 1 ? (["note", id] as const) : (["naddr", address] as const)
  return `nostr:${bech32.encode(prefix, bech32.toWords(Buffer.from(hex, "hex")), false)}`
}

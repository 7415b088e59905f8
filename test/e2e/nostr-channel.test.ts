/** The nostr channel and its publisher against real relays. SPEC §7.4. */
import assert from "node:assert/strict"
import { after, before, suite, test } from "node:test"
import {
  createNet,
  nostr,
  nostrPublisher,
  type Publication,
  type PublishForm,
} from "../../packages/channels/src/index.ts"
import { type NostrEvent, signEvent } from "../../packages/channels/src/nostr-event.ts"
import { askRelay, giveRelay } from "../../packages/channels/src/nostr-relay.ts"
import { encodeProof, findProofs, signClaim } from "../../packages/core/src/index.ts"
import { type Account, createAccount, startScriptedRelay } from "../support/nostr-client.ts"
import { type NostrRelays, relaysMissing, startNostrRelays } from "../support/nostr-relay.ts"

const signal = new AbortController().signal
const mallory = createAccount(0x4d)

type Texts = Readonly<Record<PublishForm, string>>

const contents = (events: readonly { readonly content: string }[]) => events.map(({ content }) => content)

suite("nostr", { skip: relaysMissing }, () => {
  let relays: NostrRelays
  let fill = 0x10

  before(async () => {
    relays = await startNostrRelays(3)
  })
  after(() => relays?.close())

  const netAt = (urls: readonly string[] = relays.urls) => createNet({ settings: { relays: urls } })
  const place = (name: string) => {
    const found = nostrPublisher.places.find((one) => one.name === name)
    assert.ok(found)
    return found
  }

  /** A new person with a claim of the key by the key itself. */
  async function createPerson() {
    fill += 1
    const account = createAccount(fill)
    return { ...account, texts: await textsOf(account) }
  }

  async function textsOf({ signer, npub }: Account, ageSeconds = 0): Promise<Texts> {
    const createdAt = Math.floor(Date.now() / 1_000) - ageSeconds
    const claim = await signClaim({ subject: `nostr:${npub}`, createdAt }, signer)
    return {
      markdown: encodeProof(claim, "markdown"),
      compact: encodeProof(claim, "compact"),
      reference: "unused",
    } as const
  }

  function publish(person: Account & { readonly texts: Texts }, name: string, net = netAt()) {
    const credentials = { sign: person.signer.sign }
    return nostrPublisher.publish(
      { value: person.npub, place: place(name), makeText: async () => person.texts[place(name).form], credentials },
      net,
      signal,
    )
  }

  function unpublish({ npub, signer }: Account, net = netAt()) {
    const isOurs = (text: string) =>
      findProofs(text).candidates.some(
        (one) => "proof" in one && one.proof.kind === "claim" && one.proof.claim.payload.primary === `nostr:${npub}`,
      )
    return nostrPublisher.unpublish({ value: npub, credentials: { sign: signer.sign }, isOurs }, net, signal)
  }

  async function give(url: string, account: Account, members: Parameters<Account["event"]>[0]): Promise<void> {
    const event = await account.event({ created_at: Math.floor(Date.now() / 1_000) - 60, ...members })
    const fates = await giveRelay(url, [event], netAt([url]), signal)
    assert.equal(fates[0]?.isAccepted, true, fates[0]?.reason)
  }

  /** The content of what one relay holds, newest first. */
  async function stored(
    url: string,
    { author }: Account,
    kind: number,
  ): Promise<readonly { content: string; tags: unknown }[]> {
    const events: { content: string; tags: unknown }[] = []
    const filters = [{ authors: [author], kinds: [kind], limit: 10 }]
    const onEvent = (event: unknown) => events.push(event as { content: string; tags: unknown })
    await askRelay(url, { filters, onOpen() {}, onEvent }, netAt([url]), signal)
    return events
  }

  /** All that one relay holds of an account. */
  async function events(url: string, { author }: Account): Promise<readonly NostrEvent[]> {
    const found: NostrEvent[] = []
    const filters = [{ authors: [author], kinds: [0, 1, 5, 30_078], limit: 20 }]
    const onEvent = (event: unknown) => found.push(event as NostrEvent)
    await askRelay(url, { filters, onOpen() {}, onEvent }, netAt([url]), signal)
    return found.toSorted((a, b) => a.kind - b.kind)
  }

  const look = (npub: string, net = netAt()) => nostr.collect(npub, net, { signal })
  const placesOf = (publication: Publication) =>
    publication.status === "found"
      ? publication.candidates.map(({ foundAt }) => foundAt.slice(0, 10))
      : publication.status

  test("collect() says absent, with what each relay answered, for a key that nobody knows", async () => {
    const { npub } = await createPerson()
    const publication = await look(npub)
    assert.equal(publication.status, "absent")
    assert.deepEqual(
      publication.evidence.slice(0, 3).map(({ url, note }) => [url, note]),
      relays.urls.map((url) => [url, "0 events"]),
    )
  })

  test("app-data is published to every relay, found, replaced by the next, and taken back", async () => {
    const person = await createPerson()
    const { outcomes } = await publish(person, "app-data")
    assert.deepEqual(
      outcomes,
      relays.urls.map((url) => ({ url, accepted: true })),
    )
    const publication = await look(person.npub)
    assert.equal(publication.status, "found")
    assert.equal(publication.accountId, person.npub)
    assert.deepEqual(
      publication.candidates.map(({ text }) => text),
      [person.texts.compact],
    )
    assert.match(publication.candidates[0]?.foundAt ?? "", /^nostr:naddr1/)
    assert.equal(publication.evidence.length, 4)
    assert.match(publication.evidence[3]?.sha256 ?? "", /^[0-9a-f]{64}$/)
    // Within one second, too.
    const other = await textsOf(person, 60)
    await publish({ ...person, texts: other }, "app-data")
    for (const url of relays.urls) assert.deepEqual(contents(await stored(url, person, 30_078)), [other.compact])
    assert.equal((await unpublish(person)).outcomes.filter(({ accepted }) => accepted).length, 3)
    assert.equal((await look(person.npub)).status, "absent")
    assert.deepEqual((await unpublish(person)).outcomes, [])
  })

  test("a profile keeps all else: members, tags, and the rest of its about", async () => {
    const person = await createPerson()
    const profile = {
      name: "Jason",
      about: "I write.\n\nOften.",
      picture: "https://a.example/j.png",
      unknown: [1, { a: null }],
    }
    const tags = [
      ["i", "github:jason", "aa"],
      ["alt", "x"],
    ]
    for (const url of relays.urls) await give(url, person, { kind: 0, tags, content: JSON.stringify(profile) })
    await publish(person, "profile")
    await publish(person, "profile")
    const about = `${profile.about}\n\n${person.texts.compact}`
    for (const url of relays.urls) {
      const [event] = await stored(url, person, 0)
      assert.deepEqual(JSON.parse(event?.content ?? ""), { ...profile, about })
      assert.deepEqual(event?.tags, tags)
    }
    const publication = await look(person.npub)
    assert.deepEqual(placesOf(publication), [`nostr:npub`])
    await unpublish(person)
    const [event] = await stored(relays.urls[0] ?? "", person, 0)
    assert.deepEqual(JSON.parse(event?.content ?? ""), profile)
    assert.equal((await look(person.npub)).status, "absent")
  })

  test("a profile that was not seen is not overwritten: publish.refused", async () => {
    const person = await createPerson()
    await assert.rejects(publish(person, "profile"), { code: "publish.refused" })
    const [first = ""] = relays.urls
    await give(first, person, { kind: 0, content: '{"name":"Jason"}' })
    // One relay of four answers: what it holds may be old.
    const mostlyDead = netAt([first, "ws://127.0.0.1:1", "ws://127.0.0.1:2", "ws://127.0.0.1:3"])
    await assert.rejects(publish(person, "profile", mostlyDead), { code: "publish.refused" })
    await assert.rejects(unpublish(person, mostlyDead), { code: "publish.refused" })
    assert.equal((await stored(first, person, 0))[0]?.content, '{"name":"Jason"}')
    await publish(person, "profile", netAt([first]))
    assert.deepEqual(JSON.parse((await stored(first, person, 0))[0]?.content ?? ""), {
      name: "Jason",
      about: person.texts.compact,
    })
  })

  test("a profile whose about would hide the proof is left alone: publish.refused", async () => {
    const person = await createPerson()
    const content = JSON.stringify({ about: "```\nnever closed" })
    for (const url of relays.urls) await give(url, person, { kind: 0, content })
    await assert.rejects(publish(person, "profile"), { code: "publish.refused" })
    assert.equal((await stored(relays.urls[0] ?? "", person, 0))[0]?.content, content)
  })

  test("a note is published, found, replaced and deleted, and other notes stay", async () => {
    const person = await createPerson()
    for (const url of relays.urls) await give(url, person, { content: "I like kez." })
    await publish(person, "note")
    const first = await look(person.npub)
    assert.equal(first.status, "found")
    assert.match(first.candidates[0]?.foundAt ?? "", /^nostr:note1/)
    await publish({ ...person, texts: { ...person.texts, markdown: `again\n\n${person.texts.markdown}` } }, "note")
    const second = await look(person.npub)
    assert.equal(second.status === "found" && second.candidates.length, 1)
    await unpublish(person)
    assert.equal((await look(person.npub)).status, "absent")
    for (const url of relays.urls) {
      assert.deepEqual(contents(await stored(url, person, 1)), ["I like kez."])
    }
  })

  test("what stands there already is given again as it is, to relays that lack it too, and nothing is deleted", async () => {
    const person = await createPerson()
    const [first = "", second = ""] = relays.urls
    await give(first, person, { kind: 0, content: "{}" })
    for (const { name } of nostrPublisher.places) {
      await publish(person, name, netAt([first]))
      const before = await events(first, person)
      await publish(person, name, netAt([first, second]))
      assert.deepEqual(await events(first, person), before, name)
    }
    const ids = (await events(first, person)).map(({ id }) => id)
    assert.equal(ids.length, 3)
    assert.deepEqual(
      (await events(second, person)).map(({ id }) => id),
      ids,
    )
  })

  test("all three places at once are three candidates, and unpublish() removes all", async () => {
    const person = await createPerson()
    for (const url of relays.urls) await give(url, person, { kind: 0, content: "{}" })
    for (const { name } of nostrPublisher.places) await publish(person, name)
    assert.deepEqual(placesOf(await look(person.npub)), ["nostr:nadd", "nostr:npub", "nostr:note"])
    await unpublish(person)
    assert.equal((await look(person.npub)).status, "absent")
  })

  test("each relay says its own: refused with a reason, unreachable, and a warning where only one accepts", async (t) => {
    const person = await createPerson()
    const strict = await startScriptedRelay({ fate: [false, "blocked: \u001b[2Jpay first"] })
    t.after(() => strict.close())
    const [first = ""] = relays.urls
    const { outcomes } = await publish(person, "app-data", netAt([first, strict.url, "ws://127.0.0.1:1"]))
    assert.deepEqual(
      outcomes.map(({ url, accepted }) => [url, accepted]),
      [
        [first, true],
        [strict.url, false],
        ["ws://127.0.0.1:1", false],
      ],
    )
    assert.match(outcomes[0]?.note ?? "", /fewer than two/)
    assert.match(outcomes[1]?.note ?? "", /refused: blocked: \?\[2Jpay first/)
    assert.match(outcomes[2]?.note ?? "", /expected a connection/)
    await assert.rejects(publish(person, "app-data", netAt([strict.url])), {
      code: "publish.refused",
      message: /pay first/,
    })
    await assert.rejects(publish(person, "app-data", netAt(["ws://127.0.0.1:1"])), { code: "net.refused" })
    await assert.rejects(publish(person, "app-data", netAt([])), { code: "net.url" })
  })

  test("the key of another account, and none, are publish.credentials; a text too long is publish.too_long", async () => {
    const person = await createPerson()
    const request = { value: person.npub, place: place("app-data"), makeText: async () => person.texts.compact }
    const wrong = { ...request, credentials: { sign: mallory.signer.sign } }
    await assert.rejects(nostrPublisher.publish(wrong, netAt(), signal), { code: "publish.credentials" })
    const none = { ...request, credentials: { secret: "nsec1" } }
    await assert.rejects(nostrPublisher.publish(none, netAt(), signal), { code: "publish.credentials" })
    const long = { ...person, texts: { ...person.texts, compact: "k".repeat(65_536) } }
    await assert.rejects(publish(long, "app-data"), { code: "publish.too_long" })
    for (const url of relays.urls) assert.deepEqual(await stored(url, person, 30_078), [])
  })

  test("a relay that wants a login gets no signature over its challenge", async (t) => {
    const person = await createPerson()
    const signed: string[] = []
    const sign = (bytes: Uint8Array) => {
      signed.push(new TextDecoder().decode(bytes))
      return person.signer.sign(bytes)
    }
    const asking = await startScriptedRelay({ greeting: ["AUTH", "sign-this"], fate: [false, "auth-required: log in"] })
    t.after(() => asking.close())
    const makeText = async () => person.texts.compact
    const request = { value: person.npub, place: place("app-data"), makeText, credentials: { sign } }
    await assert.rejects(nostrPublisher.publish(request, netAt([asking.url]), signal), { code: "publish.refused" })
    assert.equal(signed.length, 1)
    assert.match(signed[0] ?? "", /^\[0,"[0-9a-f]{64}",\d+,30078,\[\["d","kez"\]\],"kez:z1:/)
    assert.doesNotMatch(signed[0] ?? "", /sign-this/)
  })

  test("the canary is well where a relay answers, with relays of one's own", async () => {
    const name = nostr.canary.nameFor("", netAt())
    assert.equal((await nostr.canary.check(name, netAt(), signal)).ok, true)
    const dead = await nostr.canary.check(name, netAt(["ws://127.0.0.1:1"]), signal)
    assert.equal(dead.ok, false)
    assert.equal(dead.evidence.code, "net.refused")
  })

  test("signEvent() makes events that a real relay accepts, whatever is in them", async () => {
    const person = await createPerson()
    const content = '"\\ \n\r\t\b\f é 漢 😀 \u2028 </script> \u007f'
    const members = {
      pubkey: person.author,
      created_at: Math.floor(Date.now() / 1_000),
      kind: 1,
      tags: [["t", content]],
      content,
    }
    await give(relays.urls[0] ?? "", { ...person, event: () => signEvent(members, person.signer.sign) }, {})
    assert.equal((await stored(relays.urls[0] ?? "", person, 1))[0]?.content, content)
  })
})

/** vectors/nostr-chains.json: sigchains that relays hold of a key, and what is written there. SPEC NOSTR-10, NOSTR-11. */
import { aliceNostr, testSigner } from "./keys.ts"
import { type Event, type Members, now, sign } from "./nostr-event.ts"
import type { VectorCase, VectorFile } from "./vector-file.ts"

const value = aliceNostr.key.slice("nostr:".length)
const malloryNostr = testSigner(0x4d, "nostr")
/** Documents only by their form: what stands in one is judged by §5, after it was found. */
const [first, second, third, fourth, fifth] = ["AA", "BB", "CC", "DD", "EE"].map((end) => `kez:zc1:KLUv${end}`)
const lines = '{"kez":"sigchain_event"}\n'

const chainData = (content = "", more: Partial<Members> = {}, signer = aliceNostr): Promise<Event> =>
  sign({ kind: 30_078, tags: [["d", "kez-sigchain"]], content, ...more }, signer)

export async function nostrChains(): Promise<VectorFile> {
  return {
    spec: "§7.4",
    about: `What relays hold of the chain of nostr:${value}, at ${now}: with \`documents\` what a reader takes from it, and with \`text\` the event that its owner then gives to every relay (its signature is any right one). Relays send their events for every question.`,
    cases: [...(await reads()), ...(await liars()), ...(await writes())],
  }
}

type Relay = { readonly url: string; readonly events?: readonly unknown[]; readonly ends?: string }

function at(...relays: readonly (readonly unknown[])[]): readonly Relay[] {
  return relays.map((events, i) => ({ url: urlOf(i), events }))
}

function closed(count: number, ...more: readonly (readonly unknown[])[]): readonly Relay[] {
  const open = at(...Array.from({ length: count }, () => []), ...more).slice(count)
  return [...Array.from({ length: count }, (_, i) => ({ url: urlOf(i), ends: "closed" })), ...open]
}

function urlOf(i: number): string {
  return `wss://relay${i + 1}.example`
}

function read(
  id: string,
  why: string,
  relays: readonly Relay[],
  ...documents: readonly (string | undefined)[]
): VectorCase {
  const status = documents.length > 0 ? "found" : "absent"
  return { id, why, input: { value, relays }, expect: { status, documents } }
}

async function reads(): Promise<readonly VectorCase[]> {
  const [old, newer] = [await chainData(first, { created_at: now - 200 }), await chainData(second)]
  const many = await Promise.all(
    [first, second, third, fourth, fifth].map((text, i) => chainData(text, { created_at: now - 500 + i })),
  )
  const [low, high] = [await chainData(third), await chainData(fourth)].toSorted((a, b) => (a.id < b.id ? -1 : 1))
  const deleted = await sign({
    kind: 5,
    tags: [
      ["e", newer.id],
      ["a", `30078:${newer.pubkey}:kez-sigchain`],
    ],
    created_at: now,
  })
  const silent = { value, relays: closed(2, []) }
  return [
    read("compact", "a chain in its compact form", at([newer]), second),
    read("jsonl", "a chain document", at([await chainData(lines)]), lines),
    read(
      "older-counts",
      "C8 a newer version hides no older one, which takes nothing back",
      at([old], [newer]),
      second,
      first,
    ),
    read("once", "two relays with one version", at([newer], [newer]), second),
    read(
      "once-again",
      "one version under two times",
      at([newer], [await chainData(second, { created_at: now })]),
      second,
    ),
    read(
      "newest-four",
      "five versions: the oldest is not looked at",
      at(...many.map((event) => [event])),
      fifth,
      fourth,
      third,
      second,
    ),
    read("same-second", "of one second, the lowest id first", at([high], [low]), low?.content, high?.content),
    read(
      "empty",
      "C8 an empty version is none, and hides none",
      at([old], [await chainData("", { created_at: now })]),
      first,
    ),
    read("only-empty", "nothing but an empty version", at([await chainData("")])),
    read("deleted", "C8 no deletion is heard: a chain never forgets", at([newer], [deleted]), second),
    read("nothing", "relays that have none", at([], [])),
    read("half-answers", "half of the relays are enough for absence", closed(1, [])),
    read("one-has-it", "the only one that answers has it", closed(2, [newer]), second),
    {
      id: "few-answer",
      why: "P8 fewer are no answer",
      input: silent,
      expect: { status: "unreachable", documents: [] },
    },
    {
      id: "none-answers",
      why: "no answer",
      input: { value, relays: closed(2) },
      expect: { status: "unreachable", documents: [] },
    },
    {
      id: "no-relay",
      why: "nobody was asked",
      input: { value, relays: [] },
      expect: { status: "unreachable", documents: [] },
    },
  ]
}

/** What a relay may send and nobody may take for the chain of this key. */
async function liars(): Promise<readonly VectorCase[]> {
  const right = await chainData(first)
  const events: readonly (readonly [id: string, why: string, event: unknown])[] = [
    ["forged-content", "S12 another content under the id", { ...right, content: second }],
    ["forged-signature", "S12 the signature of another event", { ...right, sig: (await chainData(second)).sig }],
    ["other-key", "S12 the chain of another key", await chainData(first, {}, malloryNostr)],
    ["proof-name", "the name of a proof", await chainData(first, { tags: [["d", "kez"]] })],
    [
      "two-names",
      "S12 two d tags",
      await chainData(first, {
        tags: [
          ["d", "kez-sigchain"],
          ["d", "kez"],
        ],
      }),
    ],
    ["other-kind", "a note", await chainData(first, { kind: 1 })],
    ["301-s-ahead", "P8 the future", await chainData(first, { created_at: now + 301 })],
  ]
  return events.map(([id, why, event]) => read(id, why, at([event])))
}

async function writes(): Promise<readonly VectorCase[]> {
  const write = async (id: string, why: string, relays: readonly Relay[], created_at: number): Promise<VectorCase> => {
    const { sig: _, ...event } = await chainData(second, { created_at })
    return { id, why, input: { value, relays, text: second }, expect: { event } }
  }
  const { sig, ...same } = await chainData(second, { created_at: now - 77 })
  const tooLong = `kez:zc1:${"A".repeat(65_536)}`
  return [
    await write("write-first", "none is there: the time is now", at([], []), now),
    await write("write-over-older", "an older one is replaced", at([await chainData(first)]), now),
    await write(
      "write-over-newer",
      "P8 one second after the newest, whatever the clock says",
      at([await chainData(first, { created_at: now + 9 })], []),
      now + 10,
    ),
    await write(
      "write-over-foreign",
      "an event that does not count is not replaced",
      at([await chainData(first, { created_at: now + 9 }, malloryNostr)]),
      now,
    ),
    {
      id: "write-again",
      why: "the same text: the same event once more",
      input: { value, relays: at([{ ...same, sig }], []), text: second },
      expect: { event: same },
    },
    {
      id: "write-too-long",
      why: "the chain has outgrown an event",
      input: { value, relays: at([]), text: tooLong },
      expect: { code: "publish.too_long" },
    },
    {
      id: "write-nowhere",
      why: "there is no relay to give it to",
      input: { value, relays: [], text: second },
      expect: { code: "net.url" },
    },
  ]
}

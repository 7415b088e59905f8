/** vectors/shared-files.json: documents of shared files, and whether a manifest counts. SPEC §2.4. */

import type { Signer } from "@kez/core"
import {
  canonicalize,
  digestOf,
  envelopeDigest,
  type FileManifest,
  formatEnvelope,
  formatTime,
  signEnvelope,
} from "@kez/core"
import { ChainBuilder } from "./chain-builder.ts"
import { alice, laptop, mallory, phone, start } from "./keys.ts"
import { hex, type VectorCase, type VectorFile } from "./vector-file.ts"

const hash = (byte: number): string => byte.toString(16).padStart(2, "0").repeat(32)
const place = { hash: hash(1), size: 300 }
const rootOf = (sections: unknown, more: object = {}): object => ({
  type: "kez.files.root",
  version: 1,
  sections,
  ...more,
})
const entry = { path: "photos/a.jpg", size: 5, hash: hash(2), media_type: "image/jpeg" }
const pageOf = (entries: unknown, more: object = {}): object => ({
  type: "kez.files.page",
  version: 1,
  entries,
  ...more,
})

export async function sharedFiles(): Promise<VectorFile> {
  return {
    spec: "§2.4",
    about:
      "`part` root: a root document against what its manifest says; page: an open page. The number of pages or entries, or the code. `part` manifest: whether a manifest counts, with the chain's events, the anchored manifest where one is given, and the newest that was accepted (`mark`): its digest, or the code.",
    cases: [...roots(), ...pages(), ...(await manifests())],
  }
}

function roots(): readonly VectorCase[] {
  const text = canonicalize(rootOf([{ pages: [place] }]))
  const ok = (id: string, why: string, value: object, expect: number): VectorCase => {
    const given = canonicalize(value)
    return { id: `root-${id}`, why, part: "root", text: given, root: digestOf(given), size: given.length, expect }
  }
  const bad = (id: string, why: string, code: string, given: string, more: object = {}): VectorCase => ({
    ...{ id: `root-${id}`, why, part: "root", text: given, root: digestOf(given), size: given.length, ...more, code },
  })
  const many = (count: number): readonly object[] =>
    Array.from({ length: count }, (_, at) => ({ hash: hash(at), size: at }))
  return [
    ok("one", "one page of one section", rootOf([{ pages: [place] }]), 1),
    ok("none", "nothing is shared", rootOf([]), 0),
    ok(
      "most",
      "64 pages of 32 sections",
      rootOf(Array.from({ length: 32 }, (_, at) => ({ pages: many(64).slice(2 * at, 2 * at + 2) }))),
      64,
    ),
    bad("long", "more than 65,536 bytes", "limit.size", " ".repeat(65_537)),
    bad("other", "another document than the manifest names", "file.manifest", text, { root: digestOf("other") }),
    bad("size", "the manifest says another size", "file.manifest", text, { size: text.length + 1 }),
    bad("other-first", "what is not the document is not read", "file.manifest", "{", { root: digestOf("other") }),
    bad("syntax", "no JSON", "json.syntax", "{"),
    bad("page", "a page where the root is expected", "schema.unknown_member", canonicalize(pageOf([entry]))),
    bad("type", "another type", "schema.value", canonicalize(rootOf([], { type: "kez.files.page" }))),
    bad("version", "another version", "schema.value", canonicalize(rootOf([], { version: 2 }))),
    bad(
      "sections",
      "33 sections",
      "limit.entries",
      canonicalize(rootOf(Array.from({ length: 33 }, () => ({ pages: [] })))),
    ),
    bad("section-pages", "65 pages of one section", "limit.entries", canonicalize(rootOf([{ pages: many(65) }]))),
    bad(
      "pages",
      "65 pages of two sections",
      "limit.entries",
      canonicalize(rootOf([{ pages: many(60) }, { pages: many(65).slice(60) }])),
    ),
    bad("twice", "a page twice", "schema.value", canonicalize(rootOf([{ pages: [place] }, { pages: [place] }]))),
    bad(
      "hash",
      "a digest where a BLAKE3 hash is expected",
      "schema.value",
      canonicalize(rootOf([{ pages: [{ ...place, hash: digestOf("") }] }])),
    ),
    bad(
      "no-size",
      "a member is missing",
      "schema.missing_member",
      canonicalize(rootOf([{ pages: [{ hash: hash(1) }] }])),
    ),
  ]
}

function pages(): readonly VectorCase[] {
  const case_ = (
    id: string,
    why: string,
    value: object | string,
  ): { id: string; why: string; part: string; text: string } => ({
    ...{ id: `page-${id}`, why, part: "page" },
    text: typeof value === "string" ? value : canonicalize(value),
  })
  const ok = (id: string, why: string, entries: readonly object[]): VectorCase => ({
    ...case_(id, why, pageOf(entries)),
    expect: entries.length,
  })
  const bad = (id: string, why: string, code: string, value: object | string): VectorCase => ({
    ...case_(id, why, value),
    code,
  })
  const named = (id: string, why: string, path: unknown, code = "file.name"): VectorCase =>
    bad(`path-${id}`, why, code, pageOf([{ ...entry, path }]))
  const numbered = (count: number): readonly object[] =>
    Array.from({ length: count }, (_, at) => ({ path: `${at}`, size: 0, hash: hash(0), media_type: "a" }))
  return [
    ok("one", "one file", [entry]),
    ok("deep", "32 components", [{ ...entry, path: Array.from({ length: 32 }, () => "a").join("/") }]),
    ok("names", "what is odd on some system is the reader's matter where it is written", [
      { ...entry, path: "CON" },
      { ...entry, path: "a\\b" },
      { ...entry, path: " a." },
      { ...entry, path: "é" },
    ]),
    bad("entries", "1,025 entries", "limit.entries", pageOf(numbered(1_025))),
    bad("empty", "no entry", "schema.value", pageOf([])),
    bad(
      "root",
      "a root in the place of a page: lists that name lists would never end",
      "limit.depth",
      rootOf([{ pages: [place] }]),
    ),
    bad("root-first", "that is told first", "limit.depth", { type: "kez.files.root", more: 1 }),
    bad("list", "another kind of list", "schema.unknown_member", { type: "kez.files.list", version: 1, files: [] }),
    bad("array", "no object", "schema.type", "[]"),
    {
      id: "page-bytes",
      why: "no UTF-8",
      part: "page",
      hex: `${hex(new TextEncoder().encode("{"))}ff`,
      code: "text.utf8",
    },
    bad("twice", "a path twice", "schema.value", pageOf([entry, entry])),
    bad("extra", "an unknown member", "schema.unknown_member", pageOf([{ ...entry, list_size: 7 }])),
    bad("size", "no count", "schema.value", pageOf([{ ...entry, size: -1 }])),
    bad(
      "media",
      "a media type with a line break would be refused as a control; one that is empty is no text",
      "schema.value",
      pageOf([{ ...entry, media_type: "" }]),
    ),
    named("up", "it leads up", "a/../../b"),
    named("root", "it begins at the top", "/etc/passwd"),
    named("here", "a component that is the folder itself", "a/./b"),
    named("empty", "nothing", ""),
    named("slash", "a folder", "a/"),
    named("deep", "33 components", Array.from({ length: 33 }, () => "a").join("/")),
    named("long", "1,025 bytes", `${"é".repeat(512)}a`),
    named("null", "no string", null, "schema.type"),
  ]
}

interface Wish {
  readonly seq: number
  readonly prev?: FileManifest
  readonly signer?: Signer
  readonly chain: string
  readonly createdAt?: number
  readonly root?: number
}

function manifestOf({
  seq,
  prev,
  signer = phone,
  chain,
  createdAt = start + 1_000 + seq,
  root = 7,
}: Wish): Promise<FileManifest> {
  const payload = {
    ...({ type: "kez.files.manifest", version: 1 } as const),
    ...{ chain, seq, root: `sha256:${hash(root)}`, size: 100 },
    ...(prev === undefined ? {} : { prev: envelopeDigest(prev) }),
    created_at: formatTime(createdAt),
  }
  return signEnvelope("file_manifest", payload, signer)
}

async function manifests(): Promise<readonly VectorCase[]> {
  const c = new ChainBuilder(alice.key)
  await c.addDevice("0", undefined, phone, alice)
  await c.addDevice("1", "0", laptop, alice)
  const chain = c.digest("0")
  const first = await manifestOf({ seq: 0, chain })
  const second = await manifestOf({ seq: 1, prev: first, chain })
  const third = await manifestOf({ seq: 2, prev: second, chain })
  const tenth = await manifestOf({ seq: 9, prev: third, chain })
  const anchor = {
    signer: phone,
    op: "set_shared_files",
    payload: { manifest: envelopeDigest(second), size: 500 },
  } as const
  await c.add("2", "1", anchor)
  await c.add("3", "2", {
    signer: laptop,
    op: "set_shared_files",
    payload: { manifest: `sha256:${hash(9)}`, size: 500 },
  })
  await c.add("3-gone", "2", { signer: alice, op: "revoke_device", payload: { keys: [phone.key] } })
  const plain = c.pick("0", "1").map(formatEnvelope)
  const anchored = c.pick("0", "1", "2").map(formatEnvelope)
  const markOf = (one: FileManifest): object => ({ seq: one.payload.seq, digest: envelopeDigest(one) })
  const now = start + 10_000
  const case_ = (id: string, why: string, manifest: FileManifest, more: object = {}) => ({
    ...{ id: `manifest-${id}`, why, part: "manifest", events: plain, manifest: formatEnvelope(manifest), now, ...more },
  })
  const ok = (id: string, why: string, manifest: FileManifest, more: object = {}): VectorCase => ({
    ...case_(id, why, manifest, more),
    expect: envelopeDigest(manifest),
  })
  const bad = (id: string, why: string, code: string, manifest: FileManifest, more: object = {}): VectorCase => ({
    ...case_(id, why, manifest, more),
    code,
  })
  const beside = { events: anchored, anchored: formatEnvelope(second) }
  const forked = await manifestOf({ seq: 2, prev: second, chain, root: 8 })
  const unlinked = await manifestOf({ seq: 2, prev: first, chain })
  const twin = await manifestOf({ seq: 1, prev: first, chain, root: 8 })
  const broken = JSON.parse(formatEnvelope(first))
  broken.payload.size = 101
  return [
    ok("first", "by a device of the chain", first),
    ok("primary", "by the primary", await manifestOf({ seq: 0, chain, signer: alice })),
    ok("same", "the one that was accepted before", second, { mark: markOf(second) }),
    ok("next", "the one after that", third, { mark: markOf(second) }),
    ok("later", "one far after it: those between need not be known", tenth, { mark: markOf(second) }),
    ok("anchored", "the one that the chain names", second, { events: anchored }),
    ok("after-anchor", "a later one, with the one that the chain names", third, beside),
    ok("anchor-of-another", "what another device anchors is its own series", third, {
      ...beside,
      events: c.pick("0", "1", "2", "3").map(formatEnvelope),
    }),
    bad("chain", "for another chain", "file.manifest", await manifestOf({ seq: 0, chain: `sha256:${hash(3)}` })),
    bad(
      "stranger",
      "signed by a key that the chain does not list",
      "file.manifest",
      await manifestOf({ seq: 0, chain, signer: mallory }),
    ),
    bad("revoked", "signed by a device that was revoked", "file.manifest", third, {
      ...beside,
      events: c.pick("0", "1", "2", "3-gone").map(formatEnvelope),
    }),
    bad("future", "made in the future", "time.future", await manifestOf({ seq: 0, chain, createdAt: now + 301 })),
    bad("signature", "changed after it was signed", "signature.invalid", first, { manifest: canonicalize(broken) }),
    bad("rollback", "older than the one that was accepted", "file.rollback", first, { mark: markOf(second) }),
    bad("fork", "another one with its number", "file.fork", twin, { mark: markOf(second) }),
    bad("fork-next", "the next one, after another", "file.fork", unlinked, { mark: markOf(second) }),
    bad("alone", "a later one without the one that the chain names", "file.manifest", third, { events: anchored }),
    bad("beside-other", "beside it is another one", "file.manifest", third, {
      events: anchored,
      anchored: formatEnvelope(first),
    }),
    bad("beside-kind", "beside it is no manifest", "envelope.kind", third, { events: anchored, anchored: anchored[0] }),
    bad("rollback-anchor", "older than the one that the chain names", "file.rollback", first, beside),
    bad("fork-anchor", "another one with the number of that", "file.fork", twin, beside),
    bad("fork-after-anchor", "the next one after that, by another link", "file.fork", unlinked, beside),
    bad("mark-first", "what was accepted is looked at before the chain", "file.fork", forked, {
      events: anchored,
      mark: markOf(third),
    }),
  ]
}

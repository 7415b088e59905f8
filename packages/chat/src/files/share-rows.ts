/** What is kept of shared files: the own ones, the own list, and the lists of others as they were seen last. */
import { type Digest, KezError, type SharedFile } from "@kez/core"
import type { Engine } from "../engine/engine.ts"

/** Who may see and fetch: everybody who is an accepted contact when it matters, or these. */
export type Audience = "contacts" | readonly Digest[]

/** Of an audience: who is in it only because he is in this group. */
export interface ShareGroup {
  readonly id: Digest
  readonly members: readonly Digest[]
}

export interface ShareRow {
  /** 64 hex. */
  readonly id: string
  /** Absolute. */
  readonly path: string
  /** How paths in the list begin. */
  readonly name: string
  readonly audience: Audience
  readonly groups?: readonly ShareGroup[]
  /** Unix seconds. */
  readonly addedAt: number
  readonly files: number
  readonly size: number
  /** Why nothing of it is given now. */
  readonly code?: string
}

/** A section of the own list: who may read it, and where its pages lie here. */
export interface OwnSection {
  readonly audience: Audience
  /** 64 hex. */
  readonly key: string
  readonly pages: readonly Blob[]
}

/** A small file of ours that is given away. */
export interface Blob {
  readonly file: string
  readonly hash: string
  readonly size: number
}

/** The newest list that this device signed. */
export interface OwnRow {
  readonly seq: number
  readonly digest: Digest
  /** The manifest, in canonical form. */
  readonly text: string
  readonly root: Blob
  readonly sections: readonly OwnSection[]
  /** Of what it lists, to whom: equal as long as nothing has to be signed anew. */
  readonly fingerprint: Digest
}

/** A list of one device of somebody else. Its files are in rows of their own, a page each. */
export interface TheirRow {
  readonly chain: Digest
  readonly device: string
  readonly seq: number
  readonly digest: Digest
  readonly createdAt: string
  /** Unix seconds; when it was told last. */
  readonly heardAt: number
  readonly isAnchored: boolean
  /** Places of the sections that it let us read. */
  readonly sections: readonly number[]
}

export interface PageRow {
  readonly files: readonly SharedFile[]
}

export const shareKeys = {
  share: (id: string) => `share/${id}`,
  shares: "share/",
  own: "own-list",
  manifest: (digest: Digest) => `manifest/${digest}`,
  mark: (chain: Digest, device: string) => `mark/${chain}/${device}`,
  theirs: (chain: Digest) => `theirs/${chain}/`,
  their: (chain: Digest, device: string) => `theirs/${chain}/${device}`,
  pages: (chain: Digest, device: string) => `listed/${chain}/${device}/`,
} as const

export function isIn(audience: Audience, chain: Digest): boolean {
  return audience === "contacts" || audience.includes(chain)
}

/** Who is in both. */
export function bothOf(a: Audience, b: Audience): Audience {
  if (a === "contacts") return b
  return b === "contacts" ? a : a.filter((chain) => b.includes(chain))
}

/** Who is in one of both. */
export function eitherOf(a: Audience, b: Audience): Audience {
  return a === "contacts" || b === "contacts" ? "contacts" : [...new Set([...a, ...b])]
}

export function isSameAudience(a: Audience, b: Audience): boolean {
  if (a === "contacts" || b === "contacts") return a === b
  return a.length === b.length && a.every((chain) => b.includes(chain))
}

/** Those of `paths` that are shared with others than these, as they are with the people of both. */
export function narrowedRows(
  rows: readonly ShareRow[],
  paths: readonly string[],
  audience: Audience,
): readonly ShareRow[] {
  return rows.flatMap((row) => {
    const both = paths.includes(row.path) ? bothOf(row.audience, audience) : row.audience
    return isSameAudience(both, row.audience) ? [] : [{ ...row, audience: both }]
  })
}

/** The same fault, which says what it left: these are shared with fewer, and not with more. */
export function withFewer(error: unknown, narrowed: readonly ShareRow[]): unknown {
  if (!(error instanceof KezError) || error.code === "usage" || narrowed.length === 0) return error
  const left = narrowed.map(({ name, audience }) => {
    const who = audience.length === 0 ? "nobody" : "those alone who had it before and are to have it"
    return `${name} is shared with ${who} now`
  })
  return new KezError(error.code, error.message, { cause: error, hint: `${left.join("; ")}. Share it again.` })
}

/** The one that is called so, else the one that lies there. Throws `store.unknown`, and `usage` where those are two. */
export function sharedAs(rows: readonly ShareRow[], given: string, path: string): ShareRow {
  const name = given.replace(/(?<=.)\/+$/, "")
  const called = rows.find((row) => row.name === name)
  const lies = rows.find((row) => row.path === path)
  if (called !== undefined && lies !== undefined && called.path !== lies.path)
    throw new KezError("usage", `Cannot tell what to stop sharing: ${called.path} is called ${name} in the list`, {
      hint: `The one: ${called.path}\nThe other: ${lies.name}, which lies at ${lies.path}`,
    })
  const found = called ?? lies
  if (found !== undefined) return found
  throw new KezError("store.unknown", `Cannot stop sharing ${given}: it is not shared`, { hint: "kez files list" })
}

export async function listShares({ shelf }: Pick<Engine, "shelf">): Promise<readonly ShareRow[]> {
  const rows = await shelf.list<ShareRow>(shareKeys.shares)
  return rows.toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

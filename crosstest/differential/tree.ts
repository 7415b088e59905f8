/** JSON as it is written, not as it is meant: members may repeat, numbers may be spelled in any way, strings may be broken. */
import type { Dice } from "./dice.ts"

export interface Members {
  readonly members: readonly (readonly [name: string, value: Tree])[]
}
export interface Items {
  readonly items: readonly Tree[]
}
/** Written as it stands. */
export interface Raw {
  readonly raw: string
}
export type Tree = Members | Items | Raw

export function treeOf(value: unknown): Tree {
  if (Array.isArray(value)) return { items: value.map(treeOf) }
  if (typeof value !== "object" || value === null) return { raw: JSON.stringify(value) }
  return { members: Object.entries(value).map(([name, member]) => [name, treeOf(member)] as const) }
}

export function write(tree: Tree): string {
  if ("raw" in tree) return tree.raw
  if ("items" in tree) return `[${tree.items.map(write).join(",")}]`
  return `{${tree.members.map(([name, value]) => `${JSON.stringify(name)}:${write(value)}`).join(",")}}`
}

/** The value that most parsers make of it; undefined where it is no JSON. */
export function readTree(tree: Tree): unknown {
  try {
    return JSON.parse(write(tree))
  } catch {
    return undefined
  }
}

export function memberOf(tree: Tree, name: string): Tree | undefined {
  return "members" in tree ? tree.members.find(([member]) => member === name)?.[1] : undefined
}

/** The text of a string member. */
export function stringOf(tree: Tree | undefined): string | undefined {
  const value = tree === undefined ? undefined : readTree(tree)
  return typeof value === "string" ? value : undefined
}

export function withMember(tree: Tree, name: string, value: Tree): Tree {
  if (!("members" in tree)) return tree
  return { members: tree.members.map(([member, held]) => [member, member === name ? value : held] as const) }
}

type Change = (name: string, value: Tree) => Tree

/** The tree with one of its values, anywhere but at the top, changed; `name` is that of the member it is in. */
export function changedSomewhere(dice: Dice, tree: Tree, change: Change): Tree {
  const count = sizeOf(tree) - 1
  if (count < 1) return change("", tree)
  return changedAt(tree, { left: 1 + dice.below(count), name: "", change })
}

interface Walk {
  left: number
  readonly name: string
  readonly change: Change
}

function changedAt(tree: Tree, walk: Walk): Tree {
  if (walk.left-- === 0) return walk.change(walk.name, tree)
  if ("raw" in tree) return tree
  const inside = (name: string, value: Tree): Tree => {
    if (walk.left < 0) return value
    const inner = { ...walk, name }
    const changed = changedAt(value, inner)
    walk.left = inner.left
    return changed
  }
  if ("items" in tree) return { items: tree.items.map((item) => inside(walk.name, item)) }
  return { members: tree.members.map(([name, value]) => [name, inside(name, value)] as const) }
}

function sizeOf(tree: Tree): number {
  if ("raw" in tree) return 1
  if ("items" in tree) return tree.items.reduce((sum, item) => sum + sizeOf(item), 1)
  return tree.members.reduce((sum, [, value]) => sum + sizeOf(value), 1)
}

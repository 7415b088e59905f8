/** The form of a vector file: what it is about, and cases, each with a reason and what must come out. */

export interface VectorCase {
  readonly id: string
  readonly why: string
  readonly [member: string]: unknown
}

export interface VectorFile {
  readonly spec: string
  readonly about: string
  readonly cases: readonly VectorCase[]
}

export function formatVectorFile(file: VectorFile): string {
  const ids = file.cases.map(({ id }) => id)
  const twice = ids.find((id, i) => ids.indexOf(id) !== i)
  if (twice !== undefined) throw new Error(`vector ${twice} stands twice`)
  return `${JSON.stringify({ spec: file.spec, about: file.about, cases: file.cases }, null, 1)}\n`
}

/** Text whose bytes matter and that JSON could not hold, as hex. */
export function hex(bytes: Uint8Array | readonly number[]): string {
  return Buffer.from(bytes).toString("hex")
}

/** Token buckets in bounded memory: a burst, then so many an hour. SPEC STORE-13 */

export interface BucketPlan {
  /** Tokens of a full bucket; 0: there is no limit. */
  readonly burst: number
  /** Tokens that come back in an hour. */
  readonly perHour: number
}

export interface BucketView {
  readonly limit: number
  readonly remaining: number
  /** Until there is a token again; 0 when there is one. */
  readonly retryAfterSeconds: number
  /** Until the bucket is full again. */
  readonly resetSeconds: number
}

interface Bucket {
  /** In parts of a token, so that all of this is whole numbers. */
  level: number
  atMs: number
}

/** As many parts as an hour has milliseconds: each millisecond brings `perHour` of them. */
const partsOfToken = 3_600_000

export class TokenBuckets {
  readonly #plan: BucketPlan
  readonly #maxBuckets: number
  readonly #nowMs: () => number
  /** In the order of their last use, so that the first is the one to forget. */
  readonly #buckets = new Map<string, Bucket>()
  /** The last of them: who asks many times in a row is mostly this one. */
  #newest: { readonly key: string; readonly bucket: Bucket } | undefined

  constructor(plan: BucketPlan, options: { readonly maxBuckets: number; readonly nowMs: () => number }) {
    this.#plan = plan
    this.#maxBuckets = options.maxBuckets
    this.#nowMs = options.nowMs
  }

  get isOff(): boolean {
    return this.#plan.burst === 0
  }

  get size(): number {
    return this.#buckets.size
  }

  look(key: string): BucketView {
    const { burst, perHour } = this.#plan
    const level = this.#levelOf(key)
    const secondsTo = (tokens: number): number => {
      const missing = tokens * partsOfToken - level
      if (missing <= 0) return 0
      return perHour === 0 ? 3_600 : Math.ceil(missing / perHour / 1_000)
    }
    return {
      limit: burst,
      remaining: Math.max(0, Math.floor(level / partsOfToken)),
      retryAfterSeconds: secondsTo(1),
      resetSeconds: secondsTo(burst),
    }
  }

  /** Takes a token where there is one. */
  tryTake(key: string): boolean {
    const level = this.#levelOf(key) - partsOfToken
    if (level < 0) return false
    this.#put(key, level)
    return true
  }

  /** Takes a token, below zero too: what several requests took at once is paid back before the next. */
  spend(key: string): void {
    if (this.isOff) return
    this.#put(key, this.#levelOf(key) - partsOfToken)
  }

  #put(key: string, level: number): void {
    const newest = this.#newest
    if (newest?.key === key) {
      newest.bucket.level = level
      newest.bucket.atMs = this.#nowMs()
      return
    }
    const bucket = { level, atMs: this.#nowMs() }
    this.#newest = { key, bucket }
    this.#buckets.delete(key)
    this.#buckets.set(key, bucket)
    if (this.#buckets.size > this.#maxBuckets) this.#forgetOne()
  }

  #levelOf(key: string): number {
    const full = this.#plan.burst * partsOfToken
    const bucket = this.#buckets.get(key)
    if (bucket === undefined) return full
    // A clock that is set back must not take tokens away.
    const elapsedMs = Math.max(0, this.#nowMs() - bucket.atMs)
    return Math.min(full, bucket.level + elapsedMs * this.#plan.perHour)
  }

  #forgetOne(): void {
    const oldest = this.#buckets.keys().next()
    if (oldest.done !== true) this.#buckets.delete(oldest.value)
  }
}

/** What an answer says of a limit. */
export function limitHeaders({ limit, remaining, resetSeconds }: BucketView): Readonly<Record<string, string>> {
  return {
    "ratelimit-limit": String(limit),
    "ratelimit-remaining": String(remaining),
    "ratelimit-reset": String(resetSeconds),
  }
}

/** The part of an address that one customer has: all of IPv4, the first 64 bits of IPv6. Some proxies forward a port too. */
export function networkOf(address: string): string {
  const [, bracketed, v4] = /^\[([^\]]*)\](?::\d+)?$|^([\d.]+):\d+$/.exec(address) ?? []
  const bare = bracketed ?? v4 ?? address
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare)?.[1]
  if (mapped !== undefined) return mapped
  if (!bare.includes(":")) return bare
  const groups = groupsOf(bare)
  const [high = "", low = ""] = groups.slice(6)
  if (groups.slice(0, 6).join(":") === "0:0:0:0:0:ffff") return [...bytesOf(high), ...bytesOf(low)].join(".")
  return `${groups.slice(0, 4).join(":")}::/64`
}

/** The eight groups of IPv6, in their shortest form. */
function groupsOf(address: string): readonly string[] {
  const [before = "", after] = address.split("::", 2)
  const groups = before === "" ? [] : before.split(":")
  const behind = after === undefined || after === "" ? [] : after.split(":")
  const zeros = Array.from({ length: Math.max(0, 8 - groups.length - behind.length) }, () => "0")
  const all = after === undefined ? groups : [...groups, ...zeros, ...behind]
  return all.map((group) => group.replace(/^0+(?=.)/, "").toLowerCase())
}

function bytesOf(group: string): readonly number[] {
  const value = Number.parseInt(group, 16)
  return [value >> 8, value & 0xff]
}

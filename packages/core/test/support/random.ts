/** Reproducible numbers for mutations: the same seed gives the same run. */

export type Random = (below: number) => number

/** mulberry32, a public-domain generator of 32 bits of state. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4_294_967_296) * below)
  }
}

/** The bytes with one to four faults: a flipped bit, another byte, a cut, a repeated or a lost piece. */
export function mutated(source: Uint8Array, random: Random): Uint8Array {
  let bytes = Uint8Array.from(source)
  for (let faults = 1 + random(4); faults > 0 && bytes.length > 0; faults--) {
    const at = random(bytes.length)
    const kind = random(8)
    if (kind < 4) bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8))
    else if (kind < 6) bytes[at] = random(256)
    else if (kind === 6) bytes = Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + random(4))])
    else bytes = Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(Math.max(0, at - random(9)))])
  }
  return bytes
}

/** Two network namespaces joined by a cable (veth) that can be pulled. Linux and root only. */
import { execFileSync, spawnSync } from "node:child_process"
import { findServer } from "../support/servers.ts"

/** One end of the cable. */
export interface Network {
  readonly address: string
  /** What runs a program there. */
  readonly enter: readonly string[]
}

/** Both ends. */
export interface Networks {
  readonly one: Network
  readonly two: Network
  setCable(state: "up" | "down"): void
  close(): void
}

/** Why there can be no networks, or false. */
export function networksMissing(): false | string {
  if (process.platform !== "linux") return "network namespaces need Linux"
  if (process.getuid?.() !== 0) return "network namespaces need root"
  if (findServer("ip") === undefined) return "missing program: ip (iproute2)"
  try {
    const name = `kez-try-${process.pid}`
    ip("netns", "add", name)
    ip("netns", "del", name)
    return false
  } catch {
    return "network namespaces are not allowed here"
  }
}

/** Makes two networks; `close` removes them. */
export function createNetworks(): Networks {
  const id = `${process.pid}`
  const [one, two] = [`kez-${id}-1`, `kez-${id}-2`]
  const [cableOne, cableTwo] = [`kz${id}a`, `kz${id}b`]
  ip("netns", "add", one)
  ip("netns", "add", two)
  ip("link", "add", cableOne, "netns", one, "type", "veth", "peer", "name", cableTwo, "netns", two)
  const ends = [
    { name: one, cable: cableOne, address: "10.213.7.1" },
    { name: two, cable: cableTwo, address: "10.213.7.2" },
  ] as const
  for (const end of ends) {
    ip("-n", end.name, "address", "add", `${end.address}/24`, "dev", end.cable)
    ip("-n", end.name, "link", "set", "lo", "up")
    ip("-n", end.name, "link", "set", end.cable, "up")
  }
  const network = (end: (typeof ends)[number]): Network => ({
    address: end.address,
    enter: ["ip", "netns", "exec", end.name],
  })
  return {
    one: network(ends[0]),
    two: network(ends[1]),
    setCable: (state) => ip("-n", one, "link", "set", cableOne, state),
    close: () => {
      for (const end of ends) ip("netns", "del", end.name)
    },
  }
}

function ip(...words: readonly string[]): void {
  execFileSync("ip", words, { stdio: ["ignore", "ignore", "pipe"] })
}

/** Whether two files or folders hold the same bytes. */
export function isEqual(a: string, b: string): boolean {
  return spawnSync("diff", ["--recursive", "--brief", a, b], { stdio: "ignore" }).status === 0
}

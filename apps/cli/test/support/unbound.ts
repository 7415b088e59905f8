/** A real caching resolver (Unbound) on loopback, which knows one zone and the server that has it. */
import { spawn } from "node:child_process"
import { Resolver } from "node:dns/promises"
import { once } from "node:events"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { findServer } from "../../../../test/support/servers.ts"
import { freePort } from "./knot.ts"

export interface Unbound {
  /** `127.0.0.1:PORT`, as a public resolver. */
  readonly address: string
  close(): Promise<void>
}

const startMs = 10_000

/** Starts a resolver that asks `authority`, `127.0.0.1:PORT`, for everything in `zone`. */
export async function startUnbound(zone: string, authority: string): Promise<Unbound> {
  const dir = mkdtempSync(join(tmpdir(), "kez-unbound-"))
  const port = await freePort()
  const config = join(dir, "unbound.conf")
  writeFileSync(config, configOf(dir, port, { zone, authority: authority.replace(":", "@") }))
  const child = spawn(findServer("unbound") ?? "unbound", ["-d", "-c", config], { stdio: "ignore" })
  const address = `127.0.0.1:${port}`
  await answered(address, zone)
  return {
    address,
    async close() {
      if (child.exitCode === null) {
        const ended = once(child, "exit")
        child.kill("SIGTERM")
        await ended
      }
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

function configOf(dir: string, port: number, of: { readonly zone: string; readonly authority: string }): string {
  return `server:
    interface: 127.0.0.1@${port}
    access-control: 127.0.0.0/8 allow
    do-not-query-localhost: no
    do-ip6: no
    do-daemonize: no
    module-config: "iterator"
    num-threads: 1
    chroot: ""
    username: ""
    pidfile: ""
    use-syslog: no
    logfile: ""
    directory: "${dir}"
remote-control:
    control-enable: no
stub-zone:
    name: "${of.zone}"
    stub-addr: ${of.authority}
`
}

async function answered(address: string, zone: string): Promise<void> {
  const resolver = new Resolver({ timeout: 200, tries: 1 })
  resolver.setServers([address])
  for (const end = Date.now() + startMs; Date.now() < end; await sleep(20)) {
    const servers = await resolver.resolveNs(zone).catch(() => [])
    if (servers.length > 0) return
  }
  throw new Error(`unbound did not answer for ${zone} within ${startMs} ms`)
}

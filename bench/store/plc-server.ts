/** The did:plc directory server with its own store in memory. Prints its port; ends when its standard input does. */
import { createRequire } from "node:module"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { peerFolder } from "../../test/support/servers.ts"

interface PlcModule {
  readonly Database: { mock(): unknown }
  readonly PlcServer: {
    create(options: { readonly db: unknown; readonly port: number }): { start(): Promise<{ address(): AddressInfo }> }
  }
}

process.env["LOG_ENABLED"] = "false"
const { Database, PlcServer }: PlcModule = createRequire(join(peerFolder("atproto"), "package.json"))("@did-plc/server")
const server = await PlcServer.create({ db: Database.mock(), port: 0 }).start()
process.stdout.write(`http://127.0.0.1:${server.address().port}\n`)
process.stdin.resume().on("end", () => process.exit())

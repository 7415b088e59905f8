/**
 * A real PLC directory and a real PDS on free loopback ports, for test/support/atproto-pds.ts.
 * Prints one JSON line with their ports, and ends when its standard input does.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

process.env.LOG_ENABLED ??= "false"
const { Database, PlcServer } = await import("@did-plc/server")
const { envToCfg, envToSecrets, PDS } = await import("@atproto/pds")

const [hostname = "pds.example", handleDomain = ".handles.example", adminPassword = "admin"] = process.argv.slice(2)
const folder = mkdtempSync(join(tmpdir(), "kez-atproto-"))

const plc = PlcServer.create({ db: Database.mock(), port: 0 })
const plcServer = await plc.start()
const plcPort = plcServer.address().port

const env = {
  hostname,
  port: 0,
  dataDirectory: folder,
  blobstoreDiskLocation: join(folder, "blobs"),
  didPlcUrl: `http://127.0.0.1:${plcPort}`,
  serviceHandleDomains: [handleDomain],
  inviteRequired: false,
  rateLimitsEnabled: false,
  devMode: true,
  adminPassword,
  jwtSecret: "a secret of this test alone",
  // The directory and everything else that it asks is on loopback.
  disableSsrfProtection: true,
  plcRotationKeyK256PrivateKeyHex: "11".repeat(32),
  crawlers: [],
}
const pds = await PDS.create(envToCfg(env), envToSecrets(env))
const pdsServer = await pds.start()

process.stdout.write(`${JSON.stringify({ plcPort, pdsPort: pdsServer.address().port })}\n`)

process.stdin.resume().on("end", async () => {
  await pds.destroy()
  await plc.destroy()
  rmSync(folder, { recursive: true, force: true })
  process.exit(0)
})

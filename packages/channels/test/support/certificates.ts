/** Self-signed certificates for tests, made anew by the openssl binary, which Node has no replacement for. */
import { execFileSync, spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

export interface Certificate {
  /** PEM. */
  readonly key: string
  /** PEM; as its own authority, also what a client trusts. */
  readonly cert: string
}

/** The reason to skip a test that needs certificates, or false. */
export const openSslMissing: string | false =
  spawnSync("openssl", ["version"]).status === 0 ? false : "missing server: openssl"

/** Makes a certificate for the names, such as `DNS:localhost`; `days: -1` makes one that has expired. */
export function createCertificate(names: readonly string[], days = 2): Certificate {
  const folder = mkdtempSync(join(tmpdir(), "kez-cert-"))
  const at = (name: string) => join(folder, name)
  const openssl = (...args: readonly string[]) => execFileSync("openssl", args, { stdio: "pipe" })
  try {
    writeFileSync(at("names"), `subjectAltName=${names.join(",")}\n`)
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", at("key"))
    openssl("req", "-new", "-key", at("key"), "-subj", "/CN=kez-test", "-out", at("request"))
    const validity = ["-days", String(days), "-extfile", at("names")]
    openssl("x509", "-req", "-in", at("request"), "-signkey", at("key"), ...validity, "-out", at("cert"))
    return { key: readFileSync(at("key"), "utf8"), cert: readFileSync(at("cert"), "utf8") }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

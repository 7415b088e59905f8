/** nats-server from the archive of its release, by a pinned SHA-256: for machines without Go. */
import { createHash } from "node:crypto"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { gunzipSync } from "node:zlib"
import { KezError } from "@kez/core"
import { downloadMs, maxArchiveBytes, maxProgramBytes } from "../limits.ts"
import { keepProgram, withAttempt } from "./cache.ts"
import { archiveSums, pinnedVersion, releaseUrl } from "./pins.ts"
import { fileInTar } from "./tar.ts"

export interface ArchiveSource {
  /** The folder of the release; its project's own unless given. */
  readonly url?: string
  /** SHA-256 of the archives by platform; the pinned ones unless given. */
  readonly sums?: Readonly<Record<string, string>>
  readonly platform?: string
}

const architectures: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" }

/** This machine, as the release names it: `linux-amd64`. */
export function releasePlatform(): string {
  return `${process.platform}-${architectures[process.arch] ?? process.arch}`
}

/** Fetches, checks and unpacks the pinned version into the cache. Throws `broker.missing` or `broker.checksum`. */
export function fetchArchive(folder: string, source: ArchiveSource = {}): Promise<string> {
  const { url = releaseUrl, sums = archiveSums, platform = releasePlatform() } = source
  return withAttempt(folder, async (attempt) => {
    const name = `nats-server-v${pinnedVersion}-${platform}`
    const sum = sums[platform]
    if (sum === undefined) {
      throw new KezError("broker.missing", `Cannot fetch nats-server: no checksum is pinned for ${platform}`)
    }
    const archive = await download(`${url}/${name}.tar.gz`)
    if (createHash("sha256").update(archive).digest("hex") !== sum) {
      throw new KezError(
        "broker.checksum",
        `Cannot use the archive of nats-server: its SHA-256 is not the pinned ${sum}`,
      )
    }
    const program = fileInTar(gunzipSync(archive, { maxOutputLength: maxProgramBytes }), `${name}/nats-server`)
    if (program === undefined) throw new KezError("broker.checksum", "Cannot use the archive: it holds no nats-server")
    const path = join(attempt, "nats-server")
    writeFileSync(path, program)
    return keepProgram(folder, path)
  })
}

async function download(url: string): Promise<Uint8Array> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(downloadMs) })
    if (!response.ok || response.body === null) throw new Error(`HTTP status ${response.status}`)
    const chunks: Uint8Array[] = []
    let length = 0
    for await (const chunk of response.body) {
      length += chunk.length
      if (length > maxArchiveBytes) throw new Error(`more than ${maxArchiveBytes} bytes`)
      chunks.push(chunk)
    }
    return Buffer.concat(chunks)
  } catch (cause) {
    throw new KezError("broker.missing", `Cannot fetch ${url}`, { cause })
  }
}

/** Texts that people hand in and take away: files, `-` for stdin and stdout. Sizes before anything else is looked at. */
import { closeSync, existsSync, fstatSync, fsyncSync, openSync, readSync, renameSync, rmSync, writeSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { KezError } from "@kez/core"

/** The bytes of a file, or of stdin for `-`. Throws `input.missing`, `input.unreadable` or `limit.size`. */
export async function readDocument(path: string, maxBytes: number): Promise<Uint8Array> {
  return path === "-" ? readStdin(maxBytes) : readFile(path, maxBytes)
}

/** How a document is called in messages. */
export function documentName(path: string): string {
  return path === "-" ? "stdin" : path
}

/** Writes a whole file or none of it. An existing one is kept unless `force` is set: `store.exists`. Throws `store.write`. */
export function writeDocument(path: string, text: string, options: { readonly force: boolean }): void {
  assertFree(path, options)
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`)
  try {
    writeWhole(temporary, text)
    renameSync(temporary, path)
  } catch (cause) {
    rmSync(temporary, { force: true })
    throw unwritable(path, cause)
  }
}

/** Asked before long work, too, whose result could not be written. Throws `store.exists`. */
export function assertFree(path: string, { force }: { readonly force: boolean }): void {
  if (!force && existsSync(path)) throw existing(path)
}

function writeWhole(path: string, text: string): void {
  const file = openSync(path, "wx", 0o644)
  try {
    writeSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

async function readStdin(maxBytes: number): Promise<Uint8Array> {
  // Waiting for a terminal that nobody knows is asked would look like a program that hangs.
  if (process.stdin.isTTY === true) throw noStdin("a terminal")
  if (fstatSync(0).isDirectory()) throw noStdin("a directory")
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of process.stdin) {
    const bytes: Buffer = Buffer.from(chunk)
    size += bytes.length
    if (size > maxBytes) throw tooLong("stdin", maxBytes)
    chunks.push(bytes)
  }
  return Buffer.concat(chunks)
}

function readFile(path: string, maxBytes: number): Uint8Array {
  let file: number
  try {
    file = openSync(path, "r")
  } catch (cause) {
    throw unreadable(path, cause)
  }
  try {
    // Read up to the limit and one more: a device or a growing file has no size to trust.
    const buffer = Buffer.allocUnsafe(Math.min(maxBytes, Math.max(fstatSync(file).size, 65_536)) + 1)
    const chunks: Buffer[] = []
    let size = 0
    for (let count = readSync(file, buffer); count > 0; count = readSync(file, buffer)) {
      size += count
      if (size > maxBytes) throw tooLong(path, maxBytes)
      chunks.push(Buffer.from(buffer.subarray(0, count)))
    }
    return Buffer.concat(chunks)
  } catch (error) {
    throw error instanceof KezError ? error : unreadable(path, error)
  } finally {
    closeSync(file)
  }
}

function noStdin(what: string): KezError {
  return new KezError("input.missing", `Cannot read stdin: expected a pipe or a file, got ${what}`, {
    hint: "Name a file, or pipe the text in: kez … - < FILE",
  })
}

function existing(path: string): KezError {
  return new KezError("store.exists", `Cannot write ${path}: there is such a file already`, {
    hint: "Choose another name, or write over it with --force.",
  })
}

/** Names the path that was asked for, not the temporary one beside it. */
function unwritable(path: string, cause: unknown): KezError {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown"
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: `there is no folder ${dirname(path)}`,
    ENOTDIR: `${dirname(path)} is not a folder`,
    EISDIR: "it is a folder",
    EACCES: "permission denied",
    EPERM: "permission denied",
    EROFS: "the file system is read-only",
    ENOSPC: "the disk is full",
    EDQUOT: "the disk quota is used up",
    ENAMETOOLONG: "the name is too long",
  }
  return new KezError("store.write", `Cannot write ${path}: ${reasons[code] ?? code}`, {
    cause,
    hint: "Nothing was written. Name another file with --out.",
  })
}

function unreadable(path: string, cause: unknown): KezError {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown"
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: "there is no such file",
    EISDIR: "it is a directory",
    EACCES: "permission denied",
  }
  return new KezError("input.unreadable", `Cannot read ${path}: ${reasons[code] ?? code}`, { cause })
}

function tooLong(path: string, maxBytes: number): KezError {
  return new KezError("limit.size", `Cannot read ${path}: expected at most ${maxBytes} bytes`)
}

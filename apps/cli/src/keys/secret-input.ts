/** Secrets from files, descriptors and stdin. A value on the command line works, with a warning: others can see it there. */
import { createReadStream, fstatSync } from "node:fs"
import { KezError } from "@kez/core"
import type { Context } from "../context.ts"
import { readingFailure } from "../output.ts"

const maxSecretBytes = 65_536

/** What `--mnemonic`, `--nsec` and the like hold: `@FILE`, `-` for stdin, or the value itself. */
export async function readSecretOption(context: Context, flag: string, value: string): Promise<string> {
  if (value === "-") return readFd(flag, "0")
  if (value.startsWith("@")) return readFile(flag, value.slice(1))
  context.warn(
    `the value of ${flag} is now in the shell's history and was in the process list. Next time: ${flag} @FILE, or ${flag} -`,
  )
  return value
}

/** All text of an open descriptor, whose number a flag gave. Throws `usage`, `input.missing` or `input.unreadable`. */
export async function readFd(flag: string, number: string): Promise<string> {
  if (!/^[0-9]{1,4}$/.test(number)) throw new KezError("usage", `Cannot use ${flag}: expected a descriptor such as 3`)
  const fd = Number(number)
  assertReadable(flag, fd)
  return readStream(flag, fd === 0 ? process.stdin : createReadStream("", { fd, autoClose: false }))
}

export function readFile(flag: string, path: string): Promise<string> {
  return readStream(flag, createReadStream(path))
}

/** A terminal would wait for typing that shows on the screen; Node's own descriptors are none of ours. */
function assertReadable(flag: string, fd: number): void {
  const stats = tryStat(fd)
  if (stats === undefined) throw new KezError("input.unreadable", `Cannot read ${flag}: descriptor ${fd} is not open`)
  if (fd === 0 && process.stdin.isTTY === true) {
    throw new KezError("input.missing", `Cannot read ${flag} from stdin: it is a terminal`, {
      hint: `Pipe the value in, or name a file: ${flag} @FILE`,
    })
  }
}

function tryStat(fd: number): ReturnType<typeof fstatSync> | undefined {
  try {
    return fstatSync(fd)
  } catch {
    return undefined
  }
}

async function readStream(flag: string, stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of stream) {
      chunks.push(chunk)
      size += chunk.length
      if (size > maxSecretBytes) throw new KezError("limit.size", `Cannot read ${flag}: expected less than 64 KiB`)
    }
  } catch (cause) {
    if (cause instanceof KezError) throw cause
    const { code, path } = cause as NodeJS.ErrnoException
    const where = path ?? "the descriptor"
    throw new KezError("input.unreadable", `Cannot read ${flag} from ${where}: ${readingFailure(code)}`, { cause })
  }
  return Buffer.concat(chunks).toString("utf8")
}

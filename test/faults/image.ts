/** A file system of its own in a file, on a loop device: what lies in the file is what a power cut would leave. Linux, as root. */
import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import { closeSync, copyFileSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

export interface DiskImage {
  /** Where it is mounted. */
  readonly folder: string
  /** The file as it is now, without what the kernel still holds back. What wrote to it must stand still. */
  copy(): void
  /** Puts the last copy in the place of the disk, as after the power came back. Nothing may use it. */
  powerUp(): void
  close(): void
}

/** For `{ skip }`: false, or why this machine cannot have such a disk. */
export function imagesMissing(): false | string {
  if (process.platform !== "linux") return "loop devices need Linux"
  if (process.getuid?.() !== 0) return "mounting needs root"
  try {
    createImage(4).close()
    return false
  } catch (error) {
    return `cannot mount a file system of a file: ${error instanceof Error ? error.message.split("\n")[0] : ""}`
  }
}

export function createImage(mebibytes: number): DiskImage {
  const place = mkdtempSync(join(tmpdir(), "kez-disk-"))
  const [image, copied, folder] = [join(place, "disk.img"), join(place, "copy.img"), join(place, "mounted")]
  mkdirSync(folder)
  const file = openSync(image, "w")
  ftruncateSync(file, mebibytes * 1_048_576)
  closeSync(file)
  let isMounted = false
  const mount = (): void => {
    run("mount", ["-o", "loop", image, folder])
    isMounted = true
  }
  const unmount = (): void => {
    if (isMounted) run("umount", [folder])
    isMounted = false
  }
  const close = (): void => {
    unmount()
    rmSync(place, { recursive: true, force: true })
  }
  try {
    run("mkfs.ext4", ["-q", "-F", "-b", "4096", image])
    mount()
  } catch (error) {
    close()
    throw error
  }
  return {
    folder,
    copy: () => copyWhileStill(image, copied),
    powerUp() {
      unmount()
      copyFileSync(copied, image)
      mount()
    },
    close,
  }
}

/** A small disk in memory: it fills up like any other. */
export function createMemoryDisk(kibibytes: number): Pick<DiskImage, "folder" | "close"> {
  const folder = mkdtempSync(join(tmpdir(), "kez-disk-"))
  try {
    run("mount", ["-t", "tmpfs", "-o", `size=${kibibytes}k`, "tmpfs", folder])
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
  return {
    folder,
    close() {
      run("umount", [folder])
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The kernel may write by itself meanwhile: a power cut has one moment, so two copies in a row must be equal. */
function copyWhileStill(from: string, to: string): void {
  let before = ""
  for (let attempt = 0; attempt < 20; attempt++) {
    copyFileSync(from, to)
    const now = createHash("sha256").update(readFileSync(to)).digest("hex")
    if (now === before) return
    before = now
  }
  throw new Error("the disk never stood still")
}

function run(program: string, args: readonly string[]): void {
  const path = `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`
  execFileSync(program, args, { env: { PATH: path }, stdio: ["ignore", "ignore", "pipe"] })
}

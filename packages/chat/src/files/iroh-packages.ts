/** Packages that bring kez-iroh, one for each platform. scripts/release/iroh.ts makes them; docs/decisions/iroh-release.md */

export interface IrohPackage {
  readonly name: string
  /** As `process.platform` and `process.arch` say it, and npm's `os` and `cpu`. */
  readonly platform: "darwin" | "linux"
  readonly arch: "arm64" | "x64"
  /** As npm has it; absent where there is but one. */
  readonly libc?: "glibc" | "musl"
  /** Of rustc. */
  readonly target: string
}

/** Names all of the others, so that npm takes the one that fits. */
export const mainIrohPackage = "@kez/iroh"

export const irohPackages: readonly IrohPackage[] = [
  linux("x64", "glibc", "x86_64-unknown-linux-gnu"),
  linux("x64", "musl", "x86_64-unknown-linux-musl"),
  linux("arm64", "glibc", "aarch64-unknown-linux-gnu"),
  linux("arm64", "musl", "aarch64-unknown-linux-musl"),
  { name: `${mainIrohPackage}-darwin-arm64`, platform: "darwin", arch: "arm64", target: "aarch64-apple-darwin" },
  { name: `${mainIrohPackage}-darwin-x64`, platform: "darwin", arch: "x64", target: "x86_64-apple-darwin" },
]

function linux(arch: "arm64" | "x64", libc: "glibc" | "musl", target: string): IrohPackage {
  const name = `${mainIrohPackage}-linux-${arch}-${libc === "glibc" ? "gnu" : "musl"}`
  return { name, platform: "linux", arch, libc, target }
}

/** Several where only trying shows which one runs. */
export function irohPackagesFor(platform: string, arch: string): readonly IrohPackage[] {
  return irohPackages.filter((one) => one.platform === platform && one.arch === arch)
}

/** npm packages of kez-iroh: one for a platform, with the program and what its licences ask for, and one that names them all. */

import { createHash } from "node:crypto"
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { type IrohPackage, irohPackages, mainIrohPackage } from "@kez/chat/iroh"

export interface Layout {
  readonly root: string
  /** Folders of packages are made in it. */
  readonly out: string
  readonly version: string
}

const description = "kez-iroh, the program that moves files for KEZ"
const licences = ["LICENSE-MIT", "LICENSE-APACHE"]

/** The folder of the package. */
export function layPlatformPackage(
  { root, out, version }: Layout,
  {
    target,
    program,
    thirdParty,
  }: { readonly target: IrohPackage; readonly program: string; readonly thirdParty: string },
): string {
  const folder = freshFolder(out, target.name)
  copyFileSync(program, join(folder, "kez-iroh"))
  chmodSync(join(folder, "kez-iroh"), 0o755)
  const bytes = readFileSync(join(folder, "kez-iroh"))
  writeFileSync(join(folder, "SHA256SUMS"), `${createHash("sha256").update(bytes).digest("hex")}  kez-iroh\n`)
  writeFileSync(join(folder, "THIRD-PARTY-LICENSES.txt"), thirdParty)
  copyLicences(root, folder)
  const needs = glibcOf(bytes)
  const system = `${target.platform}-${target.arch}${target.libc === undefined ? "" : `, ${target.libc}`}`
  writeFileSync(
    join(folder, "README.md"),
    `# ${target.name}\n\n${description}, for ${system}. Built with ${target.target}.\n` +
      (needs === undefined ? "" : `\nIt needs glibc ${needs} or newer.\n`) +
      "\nInstall `@kez/iroh`, which takes the package that fits. `sha256sum -c SHA256SUMS` checks the program.\n" +
      "Licence: MIT or Apache-2.0, at your choice; THIRD-PARTY-LICENSES.txt has those of the crates in it.\n",
  )
  writeManifest(folder, {
    ...{ name: target.name, version, description: `${description} (${system})`, license: "MIT OR Apache-2.0" },
    ...{ os: [target.platform], cpu: [target.arch] },
    ...(target.libc === undefined ? {} : { libc: [target.libc] }),
    files: ["kez-iroh", "SHA256SUMS", "THIRD-PARTY-LICENSES.txt", ...licences],
    // A program in an archive cannot be started.
    preferUnplugged: true,
  })
  return folder
}

/** The folder of the package. */
export function layMainPackage({ root, out, version }: Layout): string {
  const folder = freshFolder(out, mainIrohPackage)
  mkdirSync(join(folder, "bin"))
  copyFileSync(join(root, "scripts/release/kez-iroh.js"), join(folder, "bin/kez-iroh.js"))
  chmodSync(join(folder, "bin/kez-iroh.js"), 0o755)
  copyLicences(root, folder)
  const names = irohPackages.map(({ name }) => name)
  writeFileSync(
    join(folder, "README.md"),
    `# ${mainIrohPackage}\n\n${description}. It comes as one package for each platform, of which npm installs the one that fits:\n\n` +
      `${names.map((name) => `- \`${name}\``).join("\n")}\n\n` +
      "Nothing is downloaded or run when it is installed. kez finds it by itself; elsewhere `kez-iroh --version` starts it.\n" +
      "Licence: MIT or Apache-2.0, at your choice.\n",
  )
  writeManifest(folder, {
    ...{ name: mainIrohPackage, version, description, license: "MIT OR Apache-2.0", type: "module" },
    ...{ bin: { "kez-iroh": "bin/kez-iroh.js" }, files: ["bin", ...licences], engines: { node: ">=20" } },
    optionalDependencies: Object.fromEntries(names.map((name) => [name, version])),
  })
  return folder
}

function freshFolder(out: string, name: string): string {
  const folder = join(out, name.replace("@kez/", ""))
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  return folder
}

function copyLicences(root: string, folder: string): void {
  for (const name of licences) copyFileSync(join(root, name), join(folder, name))
}

function writeManifest(folder: string, manifest: object): void {
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest, undefined, 2)}\n`)
}

/** The newest version of glibc that it names a symbol of. */
function glibcOf(program: Buffer): string | undefined {
  const versions = program.toString("latin1").match(/GLIBC_2\.\d{1,3}(?![\d])/g) ?? []
  const minors = versions.map((text) => Number(text.slice("GLIBC_2.".length)))
  return minors.length === 0 ? undefined : `2.${Math.max(...minors)}`
}

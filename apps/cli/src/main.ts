/** The kez command. What must be fast (`--version`, completion) is answered before anything else is loaded. */
import { formatJson, quietOnBrokenPipe, writeOut } from "./output.ts"

const args = process.argv.slice(2)
quietOnBrokenPipe()
if (args.includes("--version") || args[0] === "-V") {
  const { version } = await import("./version.ts")
  const result = { schema: "kez.version/1", ok: true, data: { version }, warnings: [] }
  writeOut(args.includes("--json") ? `${formatJson(result)}\n` : `kez ${version}\n`)
} else if (args[0] === "__complete") {
  const { complete } = await import("./completion/complete.ts")
  await complete(args.slice(1))
} else {
  const { main } = await import("./program.ts")
  await main(args)
}

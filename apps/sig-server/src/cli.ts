/** The command kez-sig-server: what each word does, and which exit code it ends with. 0 done, 1 failed, 2 not written as it should be. */
import { checkHealth, exitCodeOf, runUntilSignal, say, tell } from "@kez/server/program"
import { type CommandLine, parseCommandLine } from "./command-line.ts"
import { type Config, toConfig } from "./config.ts"
import { settingTable } from "./settings.ts"
import { version } from "./version.ts"

type Env = Readonly<Record<string, string | undefined>>

/** Resolves to the exit code. */
export function run(args: readonly string[], env: Env): Promise<number> {
  return exitCodeOf("kez-sig-server", () => runCommand(parseCommandLine(args), env))
}

async function runCommand(line: CommandLine, env: Env): Promise<number> {
  if (line.command === "version") return say(`kez-sig-server ${version}`)
  if (line.command === "help") return say(helpText())
  const values = settingTable.readValues({ flags: line.settings, env, file: line.config ?? env["KEZ_SIG_CONFIG"] })
  if (line.printsConfig) return say(settingTable.formatValues(values).trimEnd())
  const config = toConfig(values)
  if (line.checksConfig) return say("the configuration is right")
  switch (line.command) {
    case "serve":
      return runServer(config)
    case "backup":
      return runBackup(config, line.to ?? "")
    case "restore":
      return runRestore(config, line.from ?? "")
    case "check":
      return runCheck(config)
    case "migrate":
      return showMigrations(config)
    case "healthcheck":
      return checkHealth(config)
  }
}

async function runServer(config: Config): Promise<number> {
  const { serve } = await import("./serve.ts")
  return runUntilSignal({ program: "kez-sig-server", level: config.logLevel }, (log) => serve(config, log))
}

async function runBackup({ storage: place }: Config, path: string): Promise<number> {
  const { assertExists, openStorage } = await import("./storage/open-storage.ts")
  const { backup } = await import("./backup.ts")
  assertExists(place)
  const storage = await openStorage(place, nowSeconds)
  try {
    const { events, heads } = await backup({ storage, path, now: nowSeconds() })
    return say(`wrote ${path}: ${events} events, ${heads} signed heads`)
  } finally {
    await storage.close()
  }
}

async function runRestore({ storage: place }: Config, path: string): Promise<number> {
  const { openStorage } = await import("./storage/open-storage.ts")
  const { checkBackup, restore } = await import("./restore.ts")
  // Before a storage is made for it.
  await checkBackup({ path, now: nowSeconds() })
  const storage = await openStorage(place, nowSeconds)
  try {
    const { chains, events, heads } = await restore(storage, { path, now: nowSeconds() })
    return say(`restored ${chains} chains, ${events} events, ${heads} signed heads; every signature was checked`)
  } finally {
    await storage.close()
  }
}

async function runCheck({ storage: place }: Config): Promise<number> {
  const { assertExists, openStorage } = await import("./storage/open-storage.ts")
  const { checkStorage, formatDamage } = await import("./check.ts")
  assertExists(place)
  const storage = await openStorage(place, nowSeconds)
  try {
    const { chains, events, damages } = await checkStorage(storage)
    for (const damage of damages) say(formatDamage(damage))
    if (damages.length === 0) return say(`all is whole: ${chains} chains, ${events} events`)
    tell("kez-sig-server", `damage in ${damages.length} ${damages.length === 1 ? "place" : "places"} [store.corrupt]`)
    tell(
      "kez-sig-server",
      "hint: Keep the data. Restore the last backup beside it; clients and mirrors bring what it lacks.",
    )
    return 1
  } finally {
    await storage.close()
  }
}

async function showMigrations({ storage }: Config): Promise<number> {
  const { migrationStatus } = await import("./storage/open-storage.ts")
  const { place, found, known } = await migrationStatus(storage)
  const state =
    found === 0
      ? "nothing there yet"
      : found === known
        ? "up to date"
        : found > known
          ? "too new"
          : "upgraded at the next start"
  say(`${place}: version ${found} of ${known}, ${state}`)
  return found > known ? 1 : 0
}

const nowSeconds = (): number => Math.floor(Date.now() / 1_000)

function helpText(): string {
  const lines = settingTable.names.map((name) => {
    const { about, usual } = settingTable.settingOf(name)
    return `  ${settingTable.flagOf(name).padEnd(22)} ${about}${usual === undefined || usual === "" ? "" : ` (${usual})`}`
  })
  return `kez-sig-server [COMMAND] [--config FILE] [SETTINGS]

Commands:
  serve                  runs the store; this is what happens without a command
  backup --to FILE       writes everything into one file, while the store runs
  restore --from FILE    fills an empty store from such a file, and checks every signature
  check                  reads everything that is stored, and names what is damaged
  migrate status         the version of what is stored; the next start upgrades it
  healthcheck            asks the running store whether it is ready
  version, help

Settings, each also as KEZ_SIG_NAME in the environment and as name in the TOML file:
${lines.join("\n")}

  --print-config         shows the settings in force, and where each comes from
  --check-config         only checks them: exit code 0 or 2`
}

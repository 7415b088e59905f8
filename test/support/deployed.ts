/**
 * The containers of deploy/compose.yaml as plain processes: the tree that deploy/Dockerfile makes, read-only; commands, users and variables of
 * the compose file. Only what one machine without containers cannot have is translated: names of hosts, ports, and the folders of volumes.
 */
import { type ChildProcess, execFile, execFileSync, spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { basename, dirname, join, relative } from "node:path"
import { promisify } from "node:util"
import { natsServer } from "./broker.ts"
import { type ComposeProject, deployFolder, type Service } from "./compose.ts"
import type { Cleaner } from "./person.ts"
import { findServer } from "./servers.ts"

const ROOT = join(import.meta.dirname, "../..")
const uid = 10_001
const setpriv = findServer("setpriv")
/** Where this process may become the container's user, it does; elsewhere it stays who it is. */
export const changesUser = process.getuid?.() === 0 && setpriv !== undefined

export interface Image {
  /** Where /opt/kez is. */
  readonly root: string
  /** In front of PATH. */
  readonly bin: string
  readonly base: string
}

/** Follows the first stage of the Dockerfile: its COPY lines, and its one RUN line. Throws with what npm says. */
export async function buildImage(t: Cleaner): Promise<Image> {
  const base = mkdtempSync(join(tmpdir(), "kez-image-"))
  t.after(() => {
    chmodTree(base, "u+w")
    rmSync(base, { recursive: true, force: true })
  })
  chmodSync(base, 0o755)
  const [root, bin] = [join(base, "opt/kez"), join(base, "bin")]
  mkdirSync(root, { recursive: true })
  mkdirSync(bin)
  const [, stage = ""] =
    /AS packages\n([\s\S]*?)\n\nFROM/.exec(readFileSync(join(deployFolder, "Dockerfile"), "utf8")) ?? []
  for (const [, line = ""] of stage.matchAll(/^COPY (.+)$/gm)) copyInto(root, line.split(" "))
  const [, npm = ""] = /^RUN (npm ci .+)$/m.exec(stage) ?? []
  await promisify(execFile)("sh", ["-c", `${npm} --prefer-offline`], {
    cwd: root,
    env: outerEnvironment(),
    maxBuffer: 1e7,
  })
  const [node = ""] = globSync(join(root, "node_modules/node-*/bin/node"))
  symlinkSync(node, join(bin, "node"))
  for (const name of ["sig-server", "chat-server"]) {
    const main = join(root, "apps", name, "src/main.ts")
    chmodSync(main, 0o755)
    symlinkSync(main, join(bin, `kez-${name}`))
  }
  copyFileSync(natsServer, join(bin, "nats-server"))
  const relay = findRelay()
  if (relay !== undefined) copyFileSync(relay, join(bin, "kez-relay"))
  chmodTree(join(base, "opt"), "a-w,a+rX")
  return { root, bin, base }
}

/** Built beside kez-iroh by whoever runs the tests of rust/kez-iroh. */
export function findRelay(): string | undefined {
  const { status, stdout } = spawnSync("sh", [join(ROOT, "scripts/iroh.sh"), "--find"], { encoding: "utf8" })
  const path = join(dirname(stdout.trim()), "kez-relay")
  return status === 0 && existsSync(path) ? path : undefined
}

/** As .dockerignore has it. */
function copyInto(root: string, words: readonly string[]): void {
  const target = words.at(-1) ?? ""
  const isIgnored = (path: string): boolean => ["node_modules", "test"].includes(basename(path))
  for (const source of words.slice(0, -1)) {
    const to = target === "./" ? join(root, source) : join(root, target)
    mkdirSync(dirname(to), { recursive: true })
    cpSync(join(ROOT, source), to, { recursive: true, filter: (path) => !isIgnored(relative(ROOT, path)) })
  }
}

/** npm runs on the Node that somebody has, as in the first stage. */
function outerEnvironment(): NodeJS.ProcessEnv {
  const path = (process.env["PATH"] ?? "").split(":").filter((dir) => !dir.includes("node_modules"))
  return { HOME: process.env["HOME"], PATH: path.join(":") }
}

function chmodTree(path: string, mode: string): void {
  execFileSync("chmod", ["-R", mode, path])
}

export interface Deployed {
  readonly ports: {
    readonly store: number
    readonly chat: number
    readonly broker: number
    readonly websocket: number
    readonly relay: number
  }
  /** Starts a service; a service that ends by itself is waited for. */
  start(name: string): Promise<void>
  /** `docker compose exec NAME ...`: its words, as its user, with its variables. */
  exec(name: string, words: readonly string[]): Promise<{ readonly code: number; readonly stdout: string }>
  /** Its health check says that it is well. */
  healthy(name: string): Promise<void>
  stop(name: string): Promise<number | null>
  log(name: string): string
  pid(name: string): number
  /** The folder that stands for a volume. */
  volume(source: string): string
}

export interface DeployedSetup {
  readonly image: Image
  readonly project: ComposeProject
  /** store, chat, broker, websocket, monitor, relay */
  readonly ports: readonly number[]
}

const healthyMs = 30_000

export function createDeployed(t: Cleaner, setup: DeployedSetup): Deployed {
  const { image, project } = setup
  const [store = 0, chat = 0, broker = 0, websocket = 0, , relay = 0] = setup.ports
  const volume = (source: string): string => join(image.base, "volumes", source)
  for (const source of Object.keys(project.volumes)) makeFolder(volume(source))
  makeFolder(join(image.base, "tmp"))
  const running = new Map<string, Running>()
  t.after(async () => {
    for (const one of [...running.values()].reverse()) await endRunning(one)
  })
  const exec: Deployed["exec"] = async (name, words) => {
    const one = run(setup, serviceOf(project, name), words)
    await one.closed
    return { code: one.child.exitCode ?? -1, stdout: one.stdout() }
  }
  return {
    ports: { store, chat, broker, websocket, relay },
    volume,
    exec,
    pid: (name) => running.get(name)?.child.pid ?? 0,
    log: (name) => running.get(name)?.said() ?? "",
    async start(name) {
      const service = serviceOf(project, name)
      const { entrypoint, command, restart } = service
      const one = run(setup, service, [...(entrypoint ?? []), ...(command ?? [commandOfImage(service.image)])])
      running.set(name, one)
      if (restart !== "no") return
      await one.closed
      if (one.child.exitCode !== 0) throw new Error(`${name} ended with ${one.child.exitCode}\n${one.said()}`)
    },
    async healthy(name) {
      const [, ...words] = serviceOf(project, name).healthcheck?.test ?? []
      const until = Date.now() + healthyMs
      while ((await exec(name, words)).code !== 0) {
        if (Date.now() > until) throw new Error(`${name} is not healthy\n${running.get(name)?.said()}`)
      }
    },
    async stop(name) {
      const one = running.get(name)
      return one === undefined ? null : endRunning(one)
    },
  }
}

function serviceOf({ services }: ComposeProject, name: string): Service {
  const service = services[name]
  if (service === undefined) throw new Error(`there is no service ${name}`)
  return service
}

interface Running {
  readonly child: ChildProcess
  readonly closed: Promise<unknown>
  stdout(): string
  /** Both streams. */
  said(): string
}

/** Words as the service would run them. Ports are free ones, since several tests run on one machine. */
function run(setup: DeployedSetup, service: Service, words: readonly string[]): Running {
  const { image, ports } = setup
  const [store, chat] = ports
  const variables = Object.entries(service.environment ?? {}).map(([key, text]) => [
    key,
    translate(setup, service, text),
  ])
  const [command = "", ...args] = asUser(
    service,
    words.map((word) => translate(setup, service, word)),
  )
  const child = spawn(command, args, {
    cwd: join(image.base, "tmp"),
    env: {
      ...Object.fromEntries(variables),
      ...{ PATH: `${image.bin}:/usr/bin:/bin`, TMPDIR: join(image.base, "tmp") },
      ...{ KEZ_SIG_PORT: `${store}`, KEZ_SIG_METRICS_PORT: "0", KEZ_CHAT_PORT: `${chat}`, KEZ_CHAT_METRICS_PORT: "0" },
    },
    stdio: ["ignore", "pipe", "pipe"],
  })
  const texts = { stdout: "", said: "" }
  child.stdout.on("data", (bytes: Buffer) => {
    texts.stdout += bytes.toString()
    texts.said += bytes.toString()
  })
  child.stderr.on("data", (bytes: Buffer) => {
    texts.said += bytes.toString()
  })
  return { child, closed: once(child, "close"), stdout: () => texts.stdout, said: () => texts.said }
}

/** Folders of volumes, names of other containers, and addresses that would be the whole machine's. */
function translate({ image, ports }: DeployedSetup, { volumes = [] }: Service, text: string): string {
  const [store, , broker, websocket, monitor, relay] = ports
  const hosts = [
    ["http://sig-server:7878", `http://127.0.0.1:${store}`],
    ["nats://nats-server:4222", `nats://127.0.0.1:${broker}`],
    ["0.0.0.0:4222", `127.0.0.1:${broker}`],
    ["0.0.0.0:8443", `127.0.0.1:${websocket} --monitor-port ${monitor}`],
    ["0.0.0.0:3340", `127.0.0.1:${relay}`],
    ["127.0.0.1:8222", `127.0.0.1:${monitor}`],
    ["0.0.0.0", "127.0.0.1"],
  ] as const
  const placed = volumes.reduce((to, { source, target }) => {
    const form = new RegExp(`(?<![\\w/.])${target}(?!\\w)`, "g")
    return to.replaceAll(form, join(image.base, "volumes", source))
  }, text)
  return hosts.reduce((to, [from, here]) => to.replaceAll(from, here), placed)
}

async function endRunning({ child }: Running): Promise<number | null> {
  const ended = child.exitCode === null && child.signalCode === null ? once(child, "exit") : undefined
  if (ended !== undefined) child.kill("SIGTERM")
  await ended
  return child.exitCode
}

function makeFolder(path: string): void {
  mkdirSync(path, { recursive: true })
  chmodSync(path, 0o700)
  if (changesUser) chownSync(path, uid, uid)
}

/** Of the last stage of its target. */
function commandOfImage(image: string): string {
  const target = image.replace(/:.*$/, "").replace(/^kez-/, "")
  const text = readFileSync(join(deployFolder, "Dockerfile"), "utf8")
  const [, command = ""] = new RegExp(`AS ${target}\\n[\\s\\S]*?CMD \\["([^"]+)"\\]`).exec(text) ?? []
  return command
}

/** The container's user, without capabilities and without a way to new ones. */
function asUser({ user }: Service, words: readonly string[]): readonly string[] {
  if (!changesUser || setpriv === undefined) return words
  const [reuid, regid] = (user ?? "").split(":")
  return [
    setpriv,
    ...[`--reuid=${reuid}`, `--regid=${regid}`, "--clear-groups", "--no-new-privs"],
    ...["--bounding-set=-all", "--inh-caps=-all", "--", ...words],
  ]
}

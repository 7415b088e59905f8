/** What the GitHub of the tests answers to each request of its REST API, by the public documentation. */
import { createHash } from "node:crypto"
import type { Asked, GithubWorld, Reply } from "./github-server.ts"
import {
  fullUser,
  type GithubGist,
  type GithubRepo,
  type GithubUser,
  listedGist,
  readmeFile,
  repository,
  wholeGist,
} from "./github-shapes.ts"

const api = "https://api.github.com"
const notFound: Reply = {
  status: 404,
  body: { message: "Not Found", documentation_url: "https://docs.github.com/rest", status: "404" },
}

export function answerApi(world: GithubWorld, asked: Asked, body: Uint8Array, now = readClock): Reply {
  const url = new URL(asked.path, api)
  const [first, second, third, fourth] = url.pathname.split("/").slice(1)
  const caller = callerOf(world, asked)
  if (first === "gists" && third === "forks") return forkGist({ world, asked, url, body, now, caller }, second)
  if (first === "gists") return answerGists({ world, asked, url, body, now, caller }, second)
  if (asked.method !== "GET") return notFound
  if (first === "users" || first === "user") {
    const user = first === "users" ? userNamed(world, second) : userNumbered(world, second, caller)
    if (first === "user" && second === undefined && caller === undefined) {
      return { status: 401, body: { message: "Requires authentication", status: "401" } }
    }
    if (user === undefined) return notFound
    if (third === undefined) return { status: 200, body: describeUser(world, user) }
    return third === "gists" ? listGists(world, user, url, false) : notFound
  }
  if (first === "repos" || first === "repositories") {
    const isNumbered = first === "repositories"
    const place = isNumbered
      ? { repo: world.repos.find(({ id }) => String(id) === second) }
      : repoAt(world, second, third)
    return answerRepo(world, place, caller, isNumbered ? third : fourth)
  }
  return notFound
}

interface Call {
  readonly world: GithubWorld
  readonly asked: Asked
  readonly url: URL
  readonly body: Uint8Array
  readonly now: () => number
  readonly caller: GithubUser | undefined
}

function callerOf({ tokens, users }: GithubWorld, { authorization }: Asked): GithubUser | undefined {
  const token = authorization?.replace(/^(?:Bearer|token) /i, "") ?? ""
  const id = Object.hasOwn(tokens, token) ? tokens[token]?.user : undefined
  return users.find((user) => user.id === id)
}

function userNamed({ users }: GithubWorld, login = ""): GithubUser | undefined {
  return users.find((user) => user.login.toLowerCase() === login.toLowerCase())
}

function userNumbered({ users }: GithubWorld, id: string | undefined, caller: GithubUser | undefined) {
  return id === undefined ? caller : users.find((user) => String(user.id) === id)
}

function describeUser(world: GithubWorld, user: GithubUser): object {
  const gists = world.gists.filter((gist) => gist.owner === user.id && gist.public !== false).length
  return fullUser(user, { gists, repos: world.repos.filter((repo) => repo.owner === user.id).length })
}

/** Pages link to each other by the account's number, as at GitHub. */
function listGists(world: GithubWorld, user: GithubUser, url: URL, withSecret: boolean): Reply {
  const all = world.gists
    .filter((gist) => gist.owner === user.id && (withSecret || gist.public !== false))
    .toSorted((a, b) => (b.createdAt ?? "").localeCompare(a.createdAt ?? ""))
  const size = Math.min(100, Number(url.searchParams.get("per_page") ?? 30))
  const page = Number(url.searchParams.get("page") ?? 1)
  const last = Math.max(1, Math.ceil(all.length / size))
  const at = (number: number, rel: string) => {
    const path = withSecret ? "/gists" : `/user/${user.id}/gists`
    return `<${api}${path}?per_page=${size}&page=${number}>; rel="${rel}"`
  }
  const links = [
    ...(page > 1 ? [at(page - 1, "prev")] : []),
    ...(page < last ? [at(page + 1, "next"), at(last, "last")] : []),
    ...(page > 1 ? [at(1, "first")] : []),
  ]
  return {
    status: 200,
    headers: links.length === 0 ? {} : { link: links.join(", ") },
    body: all.slice((page - 1) * size, page * size).map((gist) => listedGist(gist, user)),
  }
}

function answerGists(call: Call, id: string | undefined): Reply {
  const { world, asked, url, caller } = call
  if (id === undefined) {
    if (asked.method === "POST") return createGist(call)
    return caller === undefined ? { status: 200, body: [] } : listGists(world, caller, url, true)
  }
  const gist = world.gists.find((one) => one.id === id)
  const owner = world.users.find((user) => user.id === gist?.owner)
  if (gist === undefined || owner === undefined) return notFound
  if (asked.method === "GET") return { status: 200, body: describeGist(world, gist, owner) }
  if (caller?.id !== owner.id || !mayWrite(call)) return notFound
  if (asked.method === "DELETE") {
    world.gists.splice(world.gists.indexOf(gist), 1)
    return { status: 204 }
  }
  return asked.method === "PATCH" ? updateGist(call, gist, owner) : notFound
}

function describeGist(world: GithubWorld, gist: GithubGist, owner: GithubUser): object {
  const origin = world.gists.find(({ id }) => id === gist.forkOf)
  const user = world.users.find(({ id }) => id === origin?.owner)
  const known = origin === undefined || user === undefined ? undefined : listedGist(origin, user)
  return wholeGist(gist, owner, known)
}

function mayWrite({ world, asked }: Call): boolean {
  const scopes = world.tokens[asked.authorization?.replace(/^(?:Bearer|token) /i, "") ?? ""]?.scopes
  return scopes === undefined || scopes.includes("gist")
}

interface GistInput {
  readonly description?: string
  readonly public?: boolean
  readonly files?: Readonly<Record<string, { readonly content?: string; readonly filename?: string } | null>>
}

function createGist(call: Call): Reply {
  const { world, caller, body, now } = call
  if (caller === undefined) return { status: 401, body: { message: "Requires authentication", status: "401" } }
  if (!mayWrite(call)) return notFound
  const input = JSON.parse(Buffer.from(body).toString()) as GistInput
  const files = applyFiles({}, input.files ?? {})
  if (Object.keys(files).length === 0) return invalid()
  const time = formatTime(now())
  const id = createHash("md5").update(`${world.gists.length} ${time}`).update(body).digest("hex")
  const { description = null, public: isPublic = false } = input
  const gist: GithubGist = {
    id,
    owner: caller.id,
    files,
    description,
    public: isPublic,
    createdAt: time,
    updatedAt: time,
  }
  world.gists.push(gist)
  return { status: 201, headers: { location: `${api}/gists/${id}` }, body: describeGist(world, gist, caller) }
}

/** What a click on "Fork" does: the copy is the caller's, and only `GET /gists/:id` says that it is one. */
function forkGist(call: Call, id: string | undefined): Reply {
  const { world, asked, caller, now } = call
  const origin = world.gists.find((one) => one.id === id)
  if (asked.method !== "POST" || origin === undefined || caller === undefined || !mayWrite(call)) return notFound
  if (origin.owner === caller.id) return invalid()
  const time = formatTime(now())
  const forkId = createHash("md5").update(`${world.gists.length} ${time} ${origin.id}`).digest("hex")
  const fork = { ...origin, id: forkId, owner: caller.id, createdAt: time, updatedAt: time, forkOf: origin.id }
  world.gists.push(fork)
  return { status: 201, headers: { location: `${api}/gists/${forkId}` }, body: listedGist(fork, caller) }
}

function updateGist({ world, body, now }: Call, gist: GithubGist, owner: GithubUser): Reply {
  const input = JSON.parse(Buffer.from(body).toString()) as GistInput
  const files = applyFiles(gist.files, input.files ?? {})
  if (Object.keys(files).length === 0) return invalid()
  gist.files = files
  if (input.description !== undefined) gist.description = input.description
  gist.updatedAt = formatTime(now())
  return { status: 200, body: describeGist(world, gist, owner) }
}

function applyFiles(before: GithubGist["files"], changes: NonNullable<GistInput["files"]>): Record<string, string> {
  const files = { ...before }
  for (const [name, change] of Object.entries(changes)) {
    const content = change?.content ?? files[name]
    delete files[name]
    if (change !== null && content !== undefined && content !== "") files[change.filename ?? name] = content
  }
  return files
}

function invalid(): Reply {
  const errors = [{ resource: "Gist", code: "missing_field", field: "files" }]
  return { status: 422, body: { message: "Validation Failed", errors, status: "422" } }
}

interface RepoPlace {
  readonly repo: GithubRepo | undefined
  /** Whether the name asked for is one that it had. */
  readonly isFormer?: boolean
}

function repoAt({ repos, users }: GithubWorld, login = "", name = ""): RepoPlace {
  const full = `${login}/${name}`.toLowerCase()
  const present = repos.find(
    (repo) => `${users.find(({ id }) => id === repo.owner)?.login}/${repo.name}`.toLowerCase() === full,
  )
  if (present !== undefined) return { repo: present }
  return { repo: repos.find(({ formerNames = [] }) => formerNames.includes(full)), isFormer: true }
}

function answerRepo(
  world: GithubWorld,
  { repo, isFormer }: RepoPlace,
  caller: GithubUser | undefined,
  rest = "",
): Reply {
  const owner = world.users.find(({ id }) => id === repo?.owner)
  if (repo === undefined || owner === undefined || (repo.private && caller?.id !== owner.id)) return notFound
  if (isFormer) {
    const url = `${api}/repositories/${repo.id}${rest === "" ? "" : `/${rest}`}`
    return { status: 301, headers: { location: url }, body: { message: "Moved Permanently", url } }
  }
  if (rest === "") return { status: 200, body: repository(repo, owner) }
  if (rest !== "readme" || repo.readme === undefined) return notFound
  return { status: 200, body: readmeFile(repo, owner, repo.readme) }
}

function formatTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(".000Z", "Z")
}

function readClock(): number {
  return Math.floor(Date.now() / 1000)
}

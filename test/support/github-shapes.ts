/** JSON as GitHub's REST API writes it, by its public documentation (version 2022-11-28): accounts, gists, repositories, READMEs. */
import { createHash } from "node:crypto"

export interface GithubUser {
  readonly id: number
  /** As its owner writes it. */
  login: string
  readonly type?: "User" | "Organization"
}

export interface GithubGist {
  readonly id: string
  /** Number of the account. */
  readonly owner: number
  /** Names to contents. */
  files: Readonly<Record<string, string>>
  description?: string | null
  /** True unless given. */
  readonly public?: boolean
  /** `YYYY-MM-DDTHH:MM:SSZ`. */
  readonly createdAt?: string
  updatedAt?: string
  /** The gist that it was copied from. */
  readonly forkOf?: string
}

export interface GithubRepo {
  readonly id: number
  /** Number of the account. */
  owner: number
  name: string
  readonly readme?: string
  readonly private?: boolean
  readonly fork?: boolean
  /** `login/name` under which it was known: asking for these redirects. */
  readonly formerNames?: readonly string[]
}

const api = "https://api.github.com"
const longAgo = "2015-06-01T09:00:00Z"
/** Gist contents in the API end here. */
const maxContentBytes = 1_048_576

/** SHA-1 of a Git blob, by which raw URLs name one version of a file. */
export function blobOf(content: string): string {
  const bytes = Buffer.from(content)
  return createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex")
}

export function rawPathOf(login: string, gist: Pick<GithubGist, "id">, name: string, content: string): string {
  return `/${login}/${gist.id}/raw/${blobOf(content)}/${encodeURIComponent(name)}`
}

/** The "simple user" that stands inside other answers. */
export function simpleUser({ id, login, type = "User" }: GithubUser): object {
  const url = `${api}/users/${login}`
  return {
    login,
    id,
    node_id: Buffer.from(`04:User${id}`).toString("base64"),
    avatar_url: `https://avatars.githubusercontent.com/u/${id}?v=4`,
    gravatar_id: "",
    url,
    html_url: `https://github.com/${login}`,
    followers_url: `${url}/followers`,
    following_url: `${url}/following{/other_user}`,
    gists_url: `${url}/gists{/gist_id}`,
    starred_url: `${url}/starred{/owner}{/repo}`,
    subscriptions_url: `${url}/subscriptions`,
    organizations_url: `${url}/orgs`,
    repos_url: `${url}/repos`,
    events_url: `${url}/events{/privacy}`,
    received_events_url: `${url}/received_events`,
    type,
    user_view_type: "public",
    site_admin: false,
  }
}

/** What `GET /users/:login`, `GET /user/:id` and `GET /user` answer. */
export function fullUser(user: GithubUser, counts: { readonly gists: number; readonly repos: number }): object {
  return {
    ...simpleUser(user),
    name: null,
    company: null,
    blog: "",
    location: null,
    email: null,
    hireable: null,
    bio: null,
    twitter_username: null,
    public_repos: counts.repos,
    public_gists: counts.gists,
    followers: 20,
    following: 0,
    created_at: longAgo,
    updated_at: longAgo,
  }
}

/** A gist in a list: files without content. */
export function listedGist(gist: GithubGist, owner: GithubUser): object {
  const url = `${api}/gists/${gist.id}`
  const page = `https://gist.github.com/${owner.login}/${gist.id}`
  const created = gist.createdAt ?? longAgo
  return {
    url,
    forks_url: `${url}/forks`,
    commits_url: `${url}/commits`,
    id: gist.id,
    node_id: Buffer.from(`04:Gist${gist.id}`).toString("base64"),
    git_pull_url: `https://gist.github.com/${gist.id}.git`,
    git_push_url: `https://gist.github.com/${gist.id}.git`,
    html_url: page,
    files: Object.fromEntries(
      Object.entries(gist.files).map(([name, content]) => [name, listedFile(owner.login, gist, name, content)]),
    ),
    public: gist.public ?? true,
    created_at: created,
    updated_at: gist.updatedAt ?? created,
    description: gist.description ?? null,
    comments: 0,
    user: null,
    comments_enabled: true,
    comments_url: `${url}/comments`,
    owner: simpleUser(owner),
    truncated: false,
  }
}

function listedFile(login: string, gist: GithubGist, name: string, content: string): object {
  const isMarkdown = name.endsWith(".md")
  return {
    filename: name,
    type: isMarkdown ? "text/markdown" : "text/plain",
    language: isMarkdown ? "Markdown" : "Text",
    raw_url: `https://gist.githubusercontent.com${rawPathOf(login, gist, name, content)}`,
    size: Buffer.byteLength(content),
  }
}

/** A gist alone: files with content, the gist that it was forked from, its history. */
export function wholeGist(gist: GithubGist, owner: GithubUser, origin: object | undefined): object {
  const files = Object.entries(gist.files).map(([name, content]) => {
    const truncated = Buffer.byteLength(content) > maxContentBytes
    const shown = truncated ? content.slice(0, maxContentBytes) : content
    return [name, { ...listedFile(owner.login, gist, name, content), truncated, content: shown, encoding: "utf-8" }]
  })
  const version = createHash("sha1").update(JSON.stringify(gist.files)).digest("hex")
  return {
    ...listedGist(gist, owner),
    files: Object.fromEntries(files),
    ...(origin === undefined ? {} : { fork_of: origin }),
    forks: [],
    history: [
      {
        user: simpleUser(owner),
        version,
        committed_at: gist.updatedAt ?? gist.createdAt ?? longAgo,
        change_status: { total: 1, additions: 1, deletions: 0 },
        url: `${api}/gists/${gist.id}/${version}`,
      },
    ],
  }
}

export function repository(repo: GithubRepo, owner: GithubUser): object {
  const name = `${owner.login}/${repo.name}`
  return {
    id: repo.id,
    node_id: Buffer.from(`010:Repository${repo.id}`).toString("base64"),
    name: repo.name,
    full_name: name,
    private: repo.private ?? false,
    owner: simpleUser(owner),
    html_url: `https://github.com/${name}`,
    description: null,
    fork: repo.fork ?? false,
    url: `${api}/repos/${name}`,
    created_at: longAgo,
    updated_at: longAgo,
    pushed_at: longAgo,
    size: 1,
    stargazers_count: 0,
    default_branch: "main",
    archived: false,
    disabled: false,
    visibility: repo.private ? "private" : "public",
  }
}

/** Content as the API sends it: base64 in lines of 60 characters. */
export function readmeFile(repo: GithubRepo, owner: GithubUser, text: string): object {
  const name = `${owner.login}/${repo.name}`
  const sha = blobOf(text)
  const url = `${api}/repos/${name}/contents/README.md?ref=main`
  return {
    name: "README.md",
    path: "README.md",
    sha,
    size: Buffer.byteLength(text),
    url,
    html_url: `https://github.com/${name}/blob/main/README.md`,
    git_url: `${api}/repos/${name}/git/blobs/${sha}`,
    download_url: `https://raw.githubusercontent.com/${name}/main/README.md`,
    type: "file",
    content: Buffer.from(text)
      .toString("base64")
      .replace(/.{1,60}/g, "$&\n"),
    encoding: "base64",
    _links: {
      self: url,
      git: `${api}/repos/${name}/git/blobs/${sha}`,
      html: `https://github.com/${name}/blob/main/README.md`,
    },
  }
}

/** Answers of GitHub's API in short, for vectors/channel-github.json. SPEC §7.3. */
import { found, type WebAnswer } from "./channel-case.ts"

const value = "jason"
export const now = 1_800_000_000
export const proof = "kez:z1:KLUv_SAA"
export const api = "https://api.github.com"
export const listUrl = `${api}/users/${value}/gists?per_page=100`
export const raw = "https://gist.githubusercontent.com"
export const page = "https://gist.github.com/Jason"
export const jason = { login: "Jason", id: 583231, type: "User" }
export const other = { login: "mallory", id: 6660, type: "User" }
export const text = { "content-type": "text/plain; charset=utf-8" }

interface FileShape {
  readonly name?: string
  readonly size?: number
  readonly raw_url?: string
}

export function rawUrl(id: string, name: string): string {
  return `${raw}/Jason/${id}/raw/0123456789abcdef0123456789abcdef01234567/${name}`
}

export function gist(id: string, file: FileShape = {}, more: object = {}): object {
  const { name = "kez.md", size = 15, raw_url = rawUrl(id, name) } = file
  return {
    id,
    owner: jason,
    public: true,
    description: null,
    updated_at: "2027-01-15T07:57:00Z",
    files: { [name]: { filename: name, type: "text/plain", size, raw_url } },
    ...more,
  }
}

export const list = (...gists: readonly object[]): WebAnswer => ({ url: listUrl, body: gists })
/** What the raw host says of a file. */
export const file = (id: string, content = proof, name = "kez.md"): WebAnswer => ({
  url: rawUrl(id, name),
  headers: text,
  body: content,
})
/** What the API says of one gist. `entry`: more about its file. */
export function whole(id: string, content = proof, name = "kez.md", more: object = {}, entry: object = {}): WebAnswer {
  const files = { [name]: { filename: name, raw_url: rawUrl(id, name), truncated: false, content, ...entry } }
  return { url: `${api}/gists/${id}`, body: gist(id, { name }, { files, ...more }) }
}
export const noRepo: WebAnswer = { url: `${api}/repos/${value}/${value}`, status: 404, body: { message: "Not Found" } }

export function repo(more: object = {}, finalUrl?: string): WebAnswer {
  const body = { id: 9, name: "jason", owner: jason, private: false, fork: false, ...more }
  return { url: noRepo.url, body, ...(finalUrl === undefined ? {} : { finalUrl }) }
}

export function readme(content: string, more: object = {}): WebAnswer {
  const encoded = Buffer.from(content)
    .toString("base64")
    .replace(/.{1,60}/g, "$&\n")
  const body = { type: "file", encoding: "base64", size: content.length, content: encoded, ...more }
  return { url: `${noRepo.url}/readme`, body }
}

export const userNow = (id: number, login: string): WebAnswer => ({
  url: `${api}/user/${id}`,
  body: { login, id, type: "User" },
})
export const at = (...web: readonly WebAnswer[]) => ({ value, web })
export const inGist = (id: string, content = proof) => found("583231", [[content, `${page}/${id}`]])
export const inReadme = found("583231", [[proof, "https://github.com/jason/jason"]])

/** nginx of one worker, which serves a folder of files. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdirSync, writeFileSync } from "node:fs"
import type { AddressInfo } from "node:net"
import { createServer } from "node:net"
import { join } from "node:path"
import { setTimeout } from "node:timers/promises"

const readyWithinMs = 5_000
const pollMs = 20

/** `files`: bytes by name. Its configuration, logs and files lie in `folder`. */
export async function startNginx(
  program: string,
  { folder, files }: { readonly folder: string; readonly files: ReadonlyMap<string, Buffer> },
): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const root = join(folder, "files")
  mkdirSync(root, { recursive: true })
  for (const [name, bytes] of files) writeFileSync(join(root, name), bytes)
  const port = await freePort()
  writeFileSync(join(folder, "nginx.conf"), configOf(folder, port))
  const child = spawn(program, ["-p", folder, "-e", join(folder, "error.log"), "-c", join(folder, "nginx.conf")], {
    stdio: ["ignore", "inherit", "inherit"],
  })
  const [name = ""] = files.keys()
  for (let waitedMs = 0; !(await answers(`http://127.0.0.1:${port}/${name}`)); waitedMs += pollMs) {
    if (waitedMs > readyWithinMs || child.exitCode !== null) throw new Error("nginx does not answer")
    await setTimeout(pollMs)
  }
  return {
    port,
    async stop() {
      const exited = once(child, "exit")
      child.kill("SIGTERM")
      await exited
    },
  }
}

/** No log of requests, since the store keeps none, and connections for as long as the client wants; all else as it comes. */
function configOf(folder: string, port: number): string {
  // A worker of another user could not read the temporary folder.
  const user = process.getuid?.() === 0 ? "user root;" : ""
  return `daemon off;
${user}
worker_processes 1;
pid ${folder}/nginx.pid;
events { worker_connections 1024; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  default_type application/jsonl;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  server {
    listen 127.0.0.1:${port};
    root ${folder}/files;
  }
}
`
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok
  } catch {
    return false
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}

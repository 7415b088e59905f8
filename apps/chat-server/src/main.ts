#!/usr/bin/env -S node --disable-sigusr1
/** The process kez-chat-server. The flag: on SIGUSR1 Node would open a debugger to every local user. */
import { run } from "./cli.ts"

process.exitCode = await run(process.argv.slice(2), process.env)

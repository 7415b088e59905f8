#!/usr/bin/env node
/** The process kez-chat-server. */
import { run } from "./cli.ts"

process.exitCode = await run(process.argv.slice(2), process.env)

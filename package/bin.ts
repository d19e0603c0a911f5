#!/usr/bin/env node
import { runCommand } from '@/server/command-line'

process.exitCode = await runCommand(process.argv.slice(2), process.env)

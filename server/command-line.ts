/** The command `next-sse`. */
import { parseArgs } from 'node:util'
import { parseDuration } from '@/protocol/duration'
import { mintToken } from '@/server/access/tokens/mint-token'
import { readSecret } from './config'

const usage = `Usage: next-sse token [--subscribe <topics>] [--publish <topics>] [--subject <name>] [--expires 1h]

Prints a token, signed with EVENTS_JWT_SECRET. Topics are separated by commas: news, orders.*, or * for all.

  next-sse token --subscribe news --publish '*' --expires 1h`

type Environment = Readonly<Record<string, string | undefined>>

/** Runs the command, and resolves with its exit code. */
export async function runCommand(args: string[], env: Environment): Promise<number> {
  const [command, ...rest] = args
  try {
    if (command === 'token') {
      console.log(await mint(rest, env))
      return 0
    }
    console.log(usage)
    return command === undefined || command === '--help' ? 0 : 1
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    return 1
  }
}

async function mint(args: string[], env: Environment): Promise<string> {
  const { values } = parseArgs({
    args,
    options: {
      subscribe: { type: 'string', default: '' },
      publish: { type: 'string', default: '' },
      subject: { type: 'string' },
      expires: { type: 'string', default: '1h' },
    },
  })
  const secret = readSecret(env)
  if (secret === undefined) {
    throw new Error('Set EVENTS_JWT_SECRET to the secret that the server has.')
  }
  const expiresInMs = parseDuration(values.expires)
  if (expiresInMs === undefined || expiresInMs < 1_000) {
    throw new Error('--expires must be a duration of a second or more, such as 10m, 1h or 30d.')
  }
  const subscribe = listOf(values.subscribe)
  const publish = listOf(values.publish)
  if (subscribe.length + publish.length === 0) {
    throw new Error('Name what the token is for: --subscribe, --publish, or both.')
  }
  return await mintToken({ subscribe, publish, subject: values.subject, expiresInMs }, secret)
}

function listOf(text: string): string[] {
  return text === '' ? [] : text.split(',').map((item) => item.trim())
}

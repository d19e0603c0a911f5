/** Disconnects a user, as a job of the app would: `EVENTS_URL=… tsx test/programs/disconnect.ts ana`. Ends when the log has stored it. */
import { createSse } from '@/server/sse/sse'

const sse = createSse()

async function disconnect(subject: string): Promise<void> {
  await sse.disconnect({ subject })
  await sse.close()
}

void disconnect(process.argv[2] ?? '')
